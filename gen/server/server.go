// Package server is the server side of the contract, made by the generator for the fake in
// orgkeystest. Secrets are plain strings here, since a server has to send them.
package server

//go:generate go run github.com/orgkeys/orgkeys-go/internal/generate -config oapi-codegen.yaml ../../api/openapi.yaml
