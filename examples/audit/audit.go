package main

import (
	"context"
	"slices"
	"time"

	"github.com/orgkeys/orgkeys-go/examples/internal/progress"
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

// policy is what is found fault with.
type policy struct{ unusedDays, expiringDays int }

// reasons returns what is to be said against key at that time.
func (p policy) reasons(key orgkeys.AdminKey, now time.Time) (found []reason) {
	if at, ok := key.LastUsedAt.Time(); !ok {
		found = append(found, neverUsed)
	} else if !at.After(now.AddDate(0, 0, -p.unusedDays)) {
		found = append(found, unused)
	}
	at, expires := key.ExpiresAt.Time()
	switch {
	case key.ExpiresAt.IsNull():
		found = append(found, endless)
	case !expires: // an older server, which does not report expirations
	case !at.After(now):
		found = append(found, expired)
	case !at.After(now.AddDate(0, 0, p.expiringDays)):
		found = append(found, expiring)
	}
	return found
}

// audit holds keys against the policy.
func (p policy) audit(keys []orgkeys.AdminKey, now time.Time) report {
	now = now.UTC() // in which each day has 24 hours
	r := report{
		At: now.Truncate(time.Second), Keys: len(keys), UnusedDays: p.unusedDays, ExpiringDays: p.expiringDays,
		ExpiryTold: !slices.ContainsFunc(keys, func(k orgkeys.AdminKey) bool { return k.ExpiresAt.IsAbsent() }),
		Findings:   []finding{},
	}
	for _, key := range keys {
		if reasons := p.reasons(key, now); len(reasons) > 0 {
			r.Findings = append(r.Findings, finding{
				ID: key.ID, Name: key.Name, Owner: key.Owner.Name, OwnerID: key.Owner.ID,
				CreatedAt: key.CreatedAt.Time(), LastUsedAt: moment(key.LastUsedAt), ExpiresAt: moment(key.ExpiresAt),
				Reasons: reasons,
			})
		}
	}
	return r
}

func moment(t orgkeys.OptionalTime) *time.Time {
	if at, ok := t.Time(); ok {
		return &at
	}
	return nil
}
