// Package apitype contains the Go types for two formats of api/openapi.yaml: [UnixTime] for
// "unixtime", with [OptionalTime] where the time may be null or absent, and [Secret] for
// "password".
package apitype
