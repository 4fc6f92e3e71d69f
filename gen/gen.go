// Package gen is the client that the generator makes from api/openapi.yaml: the types of the
// contract, a method for each operation, and nothing that is written by hand. It knows no
// authentication, retries or limits. Most programs want package orgkeys, in wrapper/, which
// adds them, and whose Client.Generated returns this client with all of them on.
//
// The types read themselves strictly: where an answer is not what the contract promises, the
// methods that end in WithResponse return an error that says where, and never a zero value.
package gen

//go:generate go run github.com/orgkeys/orgkeys-go/internal/generate -config ../oapi-codegen.yaml ../api/openapi.yaml
