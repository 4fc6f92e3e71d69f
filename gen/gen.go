// Package gen is the client that is generated from api/openapi.yaml: the types of the contract
// and a method for each operation. It has no authentication, retries or limits. Most programs
// want package orgkeys, in wrapper/, which adds them, and whose Client.Generated returns this
// client with all of them enabled.
//
// The types decode strictly: a response that violates the contract is an error with a JSON
// pointer to the invalid value. Printing, logging or encoding a value of this package shows its
// fields, without secrets.
package gen

//go:generate go run github.com/orgkeys/orgkeys-go/internal/generate/cmd/generate -config ../oapi-codegen.yaml ../api/openapi.yaml
//go:generate go run github.com/orgkeys/orgkeys-go/internal/names -o ../wrapper/types.gen.go client.gen.go
