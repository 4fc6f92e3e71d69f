package orgkeystest_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/orgkeys/orgkeys-go/orgkeystest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRequests_RecordEachRequestAndNoSecret(t *testing.T) {
	s := orgkeystest.New(t)
	s.AddProject(project)
	s.Inject(orgkeystest.Fault{Operation: "create-project-service-account", Drop: true, AfterWork: true})

	created := create(t, s)
	listed := call(t, s, "GET", adminKeys+"?order=desc&limit=5", "")
	require.Error(t, call(t, s, "POST", accounts, `{"name":"prod"}`).Sent)

	requests := s.Requests()
	require.Len(t, requests, 3)
	headers := []string{"Accept-Encoding", "Authorization", "Content-Length", "Content-Type", "User-Agent"}
	assert.Equal(t, orgkeystest.Request{
		Operation: "admin-api-keys-create", Method: http.MethodPost, Path: "/v1" + adminKeys, Query: map[string][]string{},
		Header: headers, Authorization: true, Status: 200, RequestID: created.Header.Get("X-Request-Id"), KeysCreated: 1,
	}, requests[0])
	assert.Equal(t, map[string][]string{"order": {"desc"}, "limit": {"5"}}, map[string][]string(requests[1].Query))
	assert.Equal(t, listed.Header.Get("X-Request-Id"), requests[1].RequestID)
	assert.Zero(t, requests[1].KeysCreated)
	assert.Equal(t, orgkeystest.Request{
		Operation: "create-project-service-account", Method: http.MethodPost, Path: "/v1" + accounts, Query: map[string][]string{},
		Header: headers, Authorization: true, Status: 0, RequestID: requests[2].RequestID, Faulted: true, KeysCreated: 1,
	}, requests[2])

	text, err := json.Marshal(requests)
	require.NoError(t, err)
	assert.NotContains(t, string(text), s.AdminKey)
	assert.NotContains(t, string(text), created.json(t)["value"])
}
