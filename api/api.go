// Package api holds the contract of orgkeys: the OpenAPI 3.1 document that its types,
// its client, its fake and its checker are made from.
package api

import _ "embed"

// Spec is the contract, api/openapi.yaml, byte for byte. Treat it as read-only.
//
//go:embed openapi.yaml
var Spec []byte
