package orgkeys

import (
	"time"

	"github.com/orgkeys/orgkeys-go/apitype"
)

// UnixTime is a time in whole seconds since 1970. Time returns it as a [time.Time] in UTC.
type UnixTime = apitype.UnixTime

// OptionalTime is a time that may be null or absent. Time returns it as a [time.Time] in UTC, and
// false if there is none; IsNull and IsAbsent distinguish the two cases.
type OptionalTime = apitype.OptionalTime

// Secret is the value of a key. Only its method Reveal returns the value. Formatting, logging or
// encoding a Secret yields "[redacted]".
type Secret = apitype.Secret

// TimeAt returns an [OptionalTime] that contains t, truncated to whole seconds.
func TimeAt(t time.Time) OptionalTime { return apitype.TimeAt(t) }

// NullTime returns an [OptionalTime] that is null.
func NullTime() OptionalTime { return apitype.NullTime() }
