// Package server is the server side of the contract, made by the generator for the fake in
// orgkeystest. Secrets are plain strings here, since a server has to send them.
package server

//go:generate go run github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen -config oapi-codegen.yaml ../../api/openapi.yaml
