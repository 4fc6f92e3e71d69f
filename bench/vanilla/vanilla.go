// Package vanilla is the client that oapi-codegen generates from the contract, api/openapi.yaml,
// with its default settings. The generator has the version that this project pins.
package vanilla

//go:generate go run -C ../.. github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen -config bench/vanilla/oapi-codegen.yaml api/openapi.yaml
