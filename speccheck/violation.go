package speccheck

import (
	"fmt"
	"strings"
)

// Kind is the class of a [Violation]. Callers select by kind which violations fail a test or a run
// of cmd/speccheck. The others are only logged.
type Kind string

const (
	// BodyViolation is a response body that violates the contract.
	BodyViolation Kind = "body"
	// RequestViolation is a parameter or a body of a request that violates the contract.
	RequestViolation Kind = "request"
	// WrongStatus is a status below 400 that the contract does not document, such as a redirect.
	WrongStatus Kind = "status"
	// UndocumentedStatus is an error status, 400 and above, that the contract does not document.
	// Contracts seldom list all errors of a server and of the proxies in front of it, so this is
	// the only kind that does not fail by default. The body of such a response is not validated,
	// since the contract has no schema for it.
	UndocumentedStatus Kind = "undocumented-status"
	// UndocumentedContentType is a response whose content type is missing, or not among those
	// that the contract documents for its status. Its body is not validated.
	UndocumentedContentType Kind = "content-type"
	// NoSuchOperation is a request that matches no operation of the contract: another path, or
	// another method on a path of the contract. Its response is not validated.
	NoSuchOperation Kind = "operation"
	// Unchecked is something that could not be validated: a body that is too large, that was
	// truncated by the network, that was closed before its end, or that has a content encoding
	// other than gzip; the rest of a body with more than [MaxViolations] violations; or, in a
	// contract given by [WithSpec], an operation that is not valid OpenAPI, or a parameter
	// without a type.
	Unchecked Kind = "unchecked"
)

// Kinds returns every kind.
func Kinds() []Kind {
	return append(FailingKinds(), UndocumentedStatus)
}

// FailingKinds returns the kinds that fail by default: all but [UndocumentedStatus].
func FailingKinds() []Kind {
	return []Kind{BodyViolation, RequestViolation, WrongStatus, UndocumentedContentType, NoSuchOperation, Unchecked}
}

// Values of [Violation.In] for a body. For a parameter it is "path", "query", "header" or
// "cookie".
const (
	InRequest  = "request"  // the body of the request
	InResponse = "response" // the body of the response
)

// Violation is one violation of the contract in one exchange. It quotes the contract and nothing
// that was sent: no value of a body, a header or a query, no id from a path, no property name
// that is not in the contract. It can be logged.
//
// Violations are comparable with ==.
type Violation struct {
	Kind Kind `json:"kind"`
	// OperationID is the id of the operation, or "" if none matches.
	OperationID string `json:"operation,omitempty"`
	// Method is the method of the request, or "" if HTTP does not define it.
	Method string `json:"method,omitempty"`
	// Path is the path template in the contract, such as "/organization/admin_api_keys", or ""
	// if none matches.
	Path string `json:"path,omitempty"`
	// Status is the status of the response, or 0 if there was no response.
	Status int `json:"status,omitempty"`
	// In is the part of the exchange that violates the contract: [InRequest] or [InResponse]
	// for a body, or the location of a parameter: "path", "query", "header", "cookie". It is ""
	// if the violation is not in one part, such as an undocumented status.
	In string `json:"in,omitempty"`
	// Parameter is the name of the parameter, if In is the location of one.
	Parameter string `json:"parameter,omitempty"`
	// Pointer is a JSON Pointer (RFC 6901) to the value in the body, or to the missing property.
	// "" is the whole body. A pointer that would contain a property name that is not in the
	// contract ends at the object with that property.
	Pointer string `json:"pointer"`
	// Rule is the violated rule. For a value it is the keyword of its schema, such as
	// "required", "type", "const", "enum" or "minimum", or "nullable" for a null where the type
	// does not allow it. For a body that is not proper JSON it is "json", "duplicate-name",
	// "utf-8" or "trailing-data". Other rules are "status", "content-type", "path", "method" and
	// "operation", and for [Unchecked] "max-body", "max-violations", "incomplete",
	// "content-encoding" and "contract".
	Rule string `json:"rule"`
	// Expected is what the contract requires, in its own terms: a type, a constant, a list of
	// values, a limit.
	Expected string `json:"expected,omitempty"`
	// Found is the JSON type of the value, if the type violates the contract.
	Found string `json:"found,omitempty"`
}

// Place describes the part of the exchange that violates the contract, such as "response body
// /data/0/id" or "query parameter limit". It returns "" if the violation is not in one part.
func (v Violation) Place() string {
	switch v.In {
	case "":
		return ""
	case InRequest, InResponse:
		return strings.TrimSpace(v.In + " body " + v.Pointer)
	default:
		return v.In + " parameter " + v.Parameter
	}
}

// Problem describes the violated rule and what it requires, such as "type: expected integer,
// found string".
func (v Violation) Problem() string {
	text := v.Rule
	if v.Expected != "" {
		text += ": expected " + v.Expected
		if v.Found != "" {
			text += ", found " + v.Found
		}
	}
	return text
}

// String returns the violation as one line of text.
func (v Violation) String() string {
	var parts []string
	if v.OperationID != "" {
		parts = append(parts, v.OperationID)
	} else {
		parts = append(parts, strings.Fields(v.Method+" "+v.Path)...)
	}
	if v.Status != 0 {
		parts = append(parts, fmt.Sprint(v.Status))
	}
	text := strings.Join(parts, " ")
	if place := v.Place(); place != "" {
		text += ": " + place
	}
	return strings.TrimPrefix(fmt.Sprintf("%s: %s (%s)", text, v.Problem(), v.Kind), ": ")
}
