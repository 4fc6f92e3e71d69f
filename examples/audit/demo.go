package main

import (
	"time"

	"github.com/orgkeys/orgkeys-go/orgkeystest"
	orgkeys "github.com/orgkeys/orgkeys-go/wrapper"
)

// startFake starts a fake with a key for each reason, one for two of them, and one for none.
func startFake() *orgkeystest.Server {
	fake := orgkeystest.NewServer(orgkeystest.InMemory())
	now := time.Now().UTC()
	at := func(days int) *orgkeys.UnixTime {
		return new(orgkeys.UnixTime(now.AddDate(0, 0, days).Unix()))
	}
	for _, key := range []orgkeystest.AdminKey{
		{ID: "key_nightly", Name: new("Nightly audit"), CreatedAt: *at(-200), LastUsedAt: at(-1), ExpiresAt: at(60)},
		{ID: "key_forgotten", Name: new("Trial of a vault"), CreatedAt: *at(-190), ExpiresAt: at(100)},
		{ID: "key_idle", Name: new("Old pipeline"), CreatedAt: *at(-180), LastUsedAt: at(-120), ExpiresAt: at(100)},
		{ID: "key_ending", Name: new("Terraform"), CreatedAt: *at(-170), LastUsedAt: at(0), ExpiresAt: at(5)},
		{ID: "key_ended", Name: new("Migration"), CreatedAt: *at(-160), LastUsedAt: at(-3), ExpiresAt: at(-2)},
		{ID: "key_endless", CreatedAt: *at(-150)},
	} {
		fake.AddAdminKey(key)
	}
	return fake
}
