package orgkeys

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/orgkeys/orgkeys-go/gen"
)

// operation returns one of the API's operations.
func operation(id string) *gen.Operation {
	for _, o := range gen.Operations() {
		if o.ID == id {
			return &o
		}
	}
	panic("the contract has no operation " + id)
}

// One operation of each class.
var (
	readOp   = operation(gen.OperationRetrieveProjectAPIKey)
	deleteOp = operation(gen.OperationDeleteProjectAPIKey)
	updateOp = operation(gen.OperationUpdateProjectAPIKey)
	createOp = operation(gen.OperationAdminAPIKeysCreate)
)

var bodyStates = []bodyState{bodyComplete, bodyBroken, bodyInvalid}

// TestAttemptOutcome covers the outcome of one attempt by status and body.
func TestAttemptOutcome(t *testing.T) {
	for want, statuses := range map[outcome][]int{
		done: {200, 201, 202, 204, 206, 299},
		refused: {
			400, 401, 402, 403, 404, 405, 406, 407, 409, 410, 411, 412, 413, 414, 415, 416, 417, 418, 421, 422,
			423, 424, 425, 426, 428, 429, 431, 451, 498,
		},
		unknown: {
			100, 101, 102, 103, 199, 300, 301, 302, 303, 304, 305, 307, 308, 399, 408, 499,
			500, 501, 502, 503, 504, 507, 511, 520, 529, 599, 600, 999,
		},
	} {
		for _, status := range statuses {
			for _, body := range bodyStates {
				want := want
				if want == done && body != bodyComplete {
					want = unknown
				}
				a := attempt{sent: true, status: status, body: body}
				assert.Equal(t, want, a.outcome(), "%d, body state %d", status, body)
			}
		}
	}
	assert.Equal(t, unknown, (&attempt{sent: true}).outcome(), "sent, no response")
	assert.Equal(t, notSent, (&attempt{}).outcome(), "not sent")
}

// TestVerdict covers what an attempt shows about the rate limit.
func TestVerdict(t *testing.T) {
	quota := gen.Error{Code: new("insufficient_quota")}
	for _, row := range []struct {
		attempt attempt
		want    verdict
	}{
		{attempt{}, unsent},
		{attempt{sent: true}, silent},
		{attempt{sent: true, status: 101}, granted},
		{attempt{sent: true, status: 200}, granted},
		{attempt{sent: true, status: 200, body: bodyBroken}, granted},
		{attempt{sent: true, status: 303}, granted},
		{attempt{sent: true, status: 400, reason: quota}, granted},
		{attempt{sent: true, status: 428}, granted},
		{attempt{sent: true, status: 429}, limited},
		{attempt{sent: true, status: 429, reason: gen.Error{Code: new("rate_limit_exceeded")}}, limited},
		{attempt{sent: true, status: 429, reason: quota}, exhausted},
		{attempt{sent: true, status: 430}, granted},
		{attempt{sent: true, status: 499}, granted},
		{attempt{sent: true, status: 500, reason: quota}, silent},
		{attempt{sent: true, status: 503}, silent},
	} {
		assert.Equal(t, row.want, row.attempt.verdict(), "%+v", row.attempt)
	}
}

// kindOfAttempt is an attempt, and whether a server that was sent it may have applied it.
type kindOfAttempt struct {
	name string
	attempt
	applied []bool // the possibilities
}

var (
	never, always, maybe = []bool{false}, []bool{true}, []bool{false, true}

	kindsOfAttempts = []kindOfAttempt{
		{"not sent", attempt{}, never},
		{"no response", attempt{sent: true}, maybe},
		{"101", attempt{sent: true, status: 101}, maybe},
		{"303", attempt{sent: true, status: 303}, maybe},
		{"200 cut short", attempt{sent: true, status: 200, body: bodyBroken}, maybe},
		{"200 invalid", attempt{sent: true, status: 200, body: bodyInvalid}, maybe},
		{"200", attempt{sent: true, status: 200}, always},
		{"204", attempt{sent: true, status: 204}, always},
		{"400", attempt{sent: true, status: 400}, never},
		{"404 of the API", attempt{sent: true, status: 404, envelope: true}, never},
		{"400 of the API", attempt{sent: true, status: 400, envelope: true}, never},
		{"404 of the API for the URL", attempt{sent: true, status: 404, envelope: true, reason: gen.Error{Code: new("unknown_url")}}, never},
		{"404 of the API for a URL without a code", attempt{sent: true, status: 404, envelope: true, reason: gen.Error{Message: "Invalid URL (DELETE /organization)"}}, never},
		{"404 of the API for the project", attempt{sent: true, status: 404, envelope: true, reason: gen.Error{Code: new("project_not_found")}}, never},
		{"404 of a proxy", attempt{sent: true, status: 404}, never},
		{"404 cut short", attempt{sent: true, status: 404, body: bodyBroken}, never},
		{"408", attempt{sent: true, status: 408}, maybe},
		{"429", attempt{sent: true, status: 429}, never},
		{"499", attempt{sent: true, status: 499}, maybe},
		{"503", attempt{sent: true, status: 503}, maybe},
	}
)

// TestJudge covers every sequence of up to three attempts, each with or without a replay by the
// transport, for each class of operation. The expectation comes from enumerating what the server
// may have done.
func TestJudge(t *testing.T) {
	var sequence func(prefix []kindOfAttempt)
	sequence = func(prefix []kindOfAttempt) {
		checkJudge(t, prefix)
		if n := len(prefix); n == 3 || n > 0 && (prefix[n-1].applied[0] || isNotFound(prefix[n-1])) {
			return // no attempt follows a confirmation or the API's own 404
		}
		for _, kind := range kindsOfAttempts {
			sequence(append(prefix[:len(prefix):len(prefix)], kind))
			if kind.sent {
				kind.name, kind.replays = kind.name+" after a replay", 1
				sequence(append(prefix[:len(prefix):len(prefix)], kind))
			}
		}
	}
	sequence(nil)
}

func checkJudge(t *testing.T, kinds []kindOfAttempt) {
	var attempts []attempt
	var names []string
	requests := [][]bool{} // for each request that was sent, whether the server may have applied it
	for _, kind := range kinds {
		attempts = append(attempts, kind.attempt)
		names = append(names, kind.name)
		if kind.replays > 0 {
			requests = append(requests, maybe)
		}
		if kind.sent {
			requests = append(requests, kind.applied)
		}
	}
	for _, op := range []*gen.Operation{readOp, deleteOp, updateOp, createOp} {
		want := expectedOutcome(op, kinds, requests)
		if got := judge(op, attempts); got != want {
			t.Errorf("%s: %s: outcome %d, want %d", op.ID, strings.Join(names, ", "), got, want)
		}
	}
}

func expectedOutcome(op *gen.Operation, kinds []kindOfAttempt, requests [][]bool) outcome {
	if len(requests) == 0 {
		return notSent
	}
	last := kinds[len(kinds)-1]
	if op.Method == http.MethodGet {
		for !last.sent { // the last response is all that matters
			kinds = kinds[:len(kinds)-1]
			last = kinds[len(kinds)-1]
		}
		requests = [][]bool{last.applied}
	}
	certain, possible := false, false
	for _, applied := range requests {
		certain = certain || fmt.Sprint(applied) == fmt.Sprint(always)
		possible = possible || fmt.Sprint(applied) != fmt.Sprint(never)
	}
	switch {
	case certain, op == deleteOp && possible && isNotFound(last):
		return done
	case possible:
		return unknown
	}
	return refused
}

func isNotFound(kind kindOfAttempt) bool {
	return kind.status == 404 && kind.envelope && kind.reason == gen.Error{}
}
