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
	created := func(days int) orgkeys.UnixTime { return orgkeys.UnixTime(now.AddDate(0, 0, days).Unix()) }
	at := func(days int) orgkeys.OptionalTime { return orgkeys.TimeAt(now.AddDate(0, 0, days)) }
	for _, key := range []orgkeystest.AdminKey{
		{ID: "key_nightly", Name: new("Nightly audit"), CreatedAt: created(-200), LastUsedAt: at(-1), ExpiresAt: at(60)},
		{ID: "key_forgotten", Name: new("Trial of a vault"), CreatedAt: created(-190), ExpiresAt: at(100)},
		{ID: "key_idle", Name: new("Old pipeline"), CreatedAt: created(-180), LastUsedAt: at(-120), ExpiresAt: at(100)},
		{ID: "key_ending", Name: new("Terraform"), CreatedAt: created(-170), LastUsedAt: at(0), ExpiresAt: at(5)},
		{ID: "key_ended", Name: new("Migration"), CreatedAt: created(-160), LastUsedAt: at(-3), ExpiresAt: at(-2)},
		{ID: "key_endless", CreatedAt: created(-150)},
	} {
		fake.AddAdminKey(key)
	}
	return fake
}
