package speccheck

import (
	"fmt"
	"strings"
)

// Kind is the class of a [Violation]. Callers choose by it what fails and what is only noted.
type Kind string

const (
	// BodyViolation is a response body that is not what the contract promises.
	BodyViolation Kind = "body"
	// RequestViolation is a parameter or a body of the request that the contract rules out.
	RequestViolation Kind = "request"
	// WrongStatus is a status below 400 that the contract does not document: a success or a
	// redirect that no client is prepared for.
	WrongStatus Kind = "status"
	// UndocumentedStatus is an error status, 400 and up, that the contract does not document.
	// Servers and the proxies before them send such statuses for good reasons, so it is the
	// one kind that does not fail unless asked to. The body of such an answer is not judged,
	// since there is nothing to hold it against.
	UndocumentedStatus Kind = "undocumented-status"
	// UndocumentedContentType is a response whose content type is missing or not among those
	// that the contract documents for its status. Its body is not judged.
	UndocumentedContentType Kind = "content-type"
	// NoSuchOperation is a request that no operation of the contract covers: another path, or
	// another method on a path of the contract. The response is not judged.
	NoSuchOperation Kind = "operation"
	// Unchecked is what could not be judged: a body that is too large, cut short by the
	// network, closed before its end, or compressed in a way that the checker does not read;
	// or an operation that is not valid OpenAPI in a contract given by [WithSpec].
	Unchecked Kind = "unchecked"
)

// Kinds returns every kind.
func Kinds() []Kind {
	return append(FailingKinds(), UndocumentedStatus)
}

// FailingKinds returns the kinds that fail unless a caller chooses: all but
// [UndocumentedStatus].
func FailingKinds() []Kind {
	return []Kind{BodyViolation, RequestViolation, WrongStatus, UndocumentedContentType, NoSuchOperation, Unchecked}
}

// The parts of an exchange that a [Violation] can be about, besides the places of a parameter
// ("path", "query", "header", "cookie").
const (
	InRequest  = "request"  // the body of the request
	InResponse = "response" // the body of the response
)

// Violation is one thing in one exchange that is not what the contract says. It holds words of
// the contract and nothing that was sent: no value of a body, a header or a query, no id from
// a path, no name of a member that the contract does not know. It can be logged as it is.
//
// Violations are comparable with ==.
type Violation struct {
	Kind Kind `json:"kind"`
	// OperationID names the operation; "" where there is none.
	OperationID string `json:"operation,omitempty"`
	// Method is the request's, or "" for one that HTTP does not define.
	Method string `json:"method,omitempty"`
	// Path is the contract's template, such as "/organization/admin_api_keys"; "" where no
	// path of the contract matches.
	Path string `json:"path,omitempty"`
	// Status is the response's; 0 where there was none.
	Status int `json:"status,omitempty"`
	// In is the part of the exchange at fault: [InRequest] or [InResponse] for a body, or the
	// place of a parameter: "path", "query", "header", "cookie". It is "" where the exchange
	// as a whole is.
	In string `json:"in,omitempty"`
	// Parameter is the name of the parameter at fault.
	Parameter string `json:"parameter,omitempty"`
	// Pointer is a JSON Pointer (RFC 6901) to the value at fault in the body, or to where a
	// missing one should be. "" is the whole body. Where the way there leads over a name that
	// the contract does not know, it ends at the object that holds that name.
	Pointer string `json:"pointer"`
	// Rule is what does not hold. For a value it is the keyword of its schema, such as
	// "required", "type", "const", "enum" or "minimum", and "nullable" for a null where the
	// type allows none. For a body that is no proper JSON it is "json", "duplicate-name",
	// "utf-8" or "trailing-data". Other rules are "status", "content-type", "path", "method",
	// "operation", and where something is
	// [Unchecked] "max-body", "incomplete", "content-encoding" and "contract".
	Rule string `json:"rule"`
	// Expected is what the contract wants there, in its own words: a type, a constant, a list
	// of values, a limit.
	Expected string `json:"expected,omitempty"`
	// Found is the JSON type of what was there, where the type is what is wrong.
	Found string `json:"found,omitempty"`
}

// Place returns the part of the exchange at fault, for people: "response /data/0/id", "query
// parameter limit". It is "" where the exchange as a whole is.
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

// Problem returns what is wrong there, for people: "type: expected integer, found string".
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

// String returns the violation in one line for people.
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
