// Package vanilla is what the generator makes of the contract when nobody tells it anything:
// the client that a program would have without this project. The version of the generator is
// the one that the project itself pins.
package vanilla

//go:generate go run -C ../.. github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen -config bench/vanilla/oapi-codegen.yaml api/openapi.yaml
