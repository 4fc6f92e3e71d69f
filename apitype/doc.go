// Package apitype holds the Go types of the contract's formats: [UnixTime] for
// "unixtime" and [Secret] for "password".
package apitype
