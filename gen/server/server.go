// Package server is the server side of the contract, generated for the fake in orgkeystest.
// Secrets are plain strings here, since a server sends them.
package server

//go:generate go run github.com/orgkeys/orgkeys-go/internal/generate/cmd/generate -config oapi-codegen.yaml ../../api/openapi.yaml
