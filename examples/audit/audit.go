package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/orgkeys/orgkeys-go/examples/internal/progress"
	"github.com/orgkeys/orgkeys-go/gen"
	orgkeys "github.com/orgkeys/orgkeys-go/wrapper"
)

// reason is what is to be said against a key.
type reason string

const (
	neverUsed reason = "never-used"
	unused    reason = "unused"
	expiring  reason = "expiring"
	expired   reason = "expired"
	endless   reason = "no-expiry"
)

// read returns all admin keys.
func read(ctx context.Context, client *orgkeys.Client, meter *progress.Meter) ([]orgkeys.AdminKey, error) {
	meter.Start(0, "admin keys read")
	defer meter.Stop()
	var keys []orgkeys.AdminKey
	for key, err := range client.AdminKeys.All(ctx, orgkeys.AdminKeyListParams{}) {
		if err != nil {
			return nil, err // what was read so far is no audit
		}
		keys = append(keys, key)
		meter.Step()
	}
	return keys, nil
}

// tellsExpiry reports whether the server says of keys when they expire, which older ones do
// not. A key's ExpiresAt is nil where it never expires and where nobody says, so if it is nil
// for all of them, the answer as it was sent has to tell.
func tellsExpiry(ctx context.Context, client *orgkeys.Client, keys []orgkeys.AdminKey) (bool, error) {
	for _, key := range keys {
		if key.ExpiresAt != nil {
			return true, nil
		}
	}
	response, err := client.Generated().AdminAPIKeysListWithResponse(ctx, &gen.AdminAPIKeysListParams{Limit: new(1)})
	if err != nil {
		return false, err
	}
	var page struct {
		Data []map[string]json.RawMessage `json:"data"`
	}
	if response.StatusCode() != 200 || json.Unmarshal(response.Body, &page) != nil {
		return false, fmt.Errorf("reading one key again: %s", response.Status())
	}
	if len(page.Data) == 0 {
		return true, nil
	}
	_, told := page.Data[0]["expires_at"]
	return told, nil
}

// policy is what is found fault with.
type policy struct{ unusedDays, expiringDays int }

// reasons returns what is to be said against key at that time.
func (p policy) reasons(key orgkeys.AdminKey, expiryTold bool, now time.Time) (found []reason) {
	switch {
	case key.LastUsedAt == nil: // null, or absent: by the contract the key was never used
		found = append(found, neverUsed)
	case !key.LastUsedAt.Time().After(now.AddDate(0, 0, -p.unusedDays)):
		found = append(found, unused)
	}
	switch {
	case key.ExpiresAt == nil && expiryTold:
		found = append(found, endless)
	case key.ExpiresAt == nil: // an older server: who knows
	case !key.ExpiresAt.Time().After(now):
		found = append(found, expired)
	case !key.ExpiresAt.Time().After(now.AddDate(0, 0, p.expiringDays)):
		found = append(found, expiring)
	}
	return found
}

// audit holds keys against the policy.
func (p policy) audit(keys []orgkeys.AdminKey, expiryTold bool, now time.Time) report {
	now = now.UTC() // in which each day has 24 hours
	r := report{
		At: now.Truncate(time.Second), Keys: len(keys), UnusedDays: p.unusedDays, ExpiringDays: p.expiringDays,
		ExpiryTold: expiryTold, Findings: []finding{},
	}
	for _, key := range keys {
		if reasons := p.reasons(key, expiryTold, now); len(reasons) > 0 {
			r.Findings = append(r.Findings, finding{
				ID: key.ID, Name: key.Name, Owner: key.Owner.Name, OwnerID: key.Owner.ID,
				CreatedAt: key.CreatedAt.Time(), LastUsedAt: moment(key.LastUsedAt), ExpiresAt: moment(key.ExpiresAt),
				Reasons: reasons,
			})
		}
	}
	return r
}

func moment(t *orgkeys.UnixTime) *time.Time {
	if t == nil {
		return nil
	}
	return new(t.Time())
}
