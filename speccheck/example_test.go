package speccheck_test

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/orgkeys/orgkeys-go/speccheck"
)

// newServer starts a server whose response violates the contract: the owner is missing, and the
// creation time is a string.
func newServer() *httptest.Server {
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.Header.Get("Authorization") == "" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_, _ = io.WriteString(w, `{
			"object": "organization.project.api_key",
			"id": "key_abc",
			"name": "Checkout service",
			"redacted_value": "sk-abc...def",
			"created_at": "2024-03-26",
			"last_used_at": null
		}`)
	}))
}

// A program passes a report function of its own.
func ExampleChecker_Transport() {
	server := newServer()
	defer server.Close()

	checker, err := speccheck.New()
	if err != nil {
		log.Fatal(err)
	}
	client := &http.Client{Transport: checker.Transport(http.DefaultTransport, func(v speccheck.Violation) {
		fmt.Println(v)
	})}

	resp, err := client.Get(server.URL + "/v1/organization/projects/proj_abc/api_keys/key_abc")
	if err != nil {
		log.Fatal(err)
	}
	_ = resp.Body.Close() // the body of an undocumented status is not validated

	req, err := http.NewRequest("GET", server.URL+"/v1/organization/projects/proj_abc/api_keys/key_abc", nil)
	if err != nil {
		log.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer admin")
	if resp, err = client.Do(req); err != nil {
		log.Fatal(err)
	}
	if _, err = io.ReadAll(resp.Body); err != nil {
		log.Fatal(err)
	}
	_ = resp.Body.Close()
	// Output:
	// retrieve-project-api-key 401: status: expected 200 or 404 (undocumented-status)
	// retrieve-project-api-key 200: response body /created_at: type: expected integer, found string (body)
	// retrieve-project-api-key 200: response body /owner: required: expected present (body)
}

func ExampleForTest() {
	server := newServer()
	defer server.Close()

	test := func(t speccheck.TB) { // a *testing.T, elsewhere
		client := &http.Client{Transport: speccheck.ForTest(t, http.DefaultTransport)}

		// Hand client to the SDK that the test is about, and call the API.
		resp, err := client.Get(server.URL + "/v1/organization/users")
		if err != nil {
			t.Fatalf("%v", err)
		}
		_ = resp.Body.Close()
	}
	test(printer{})
	// Output:
	// test fails: speccheck: GET 401: path (operation)
}

func ExampleFail() {
	violation := speccheck.Violation{Kind: speccheck.UndocumentedStatus, OperationID: "admin-api-keys-list", Status: 429, Rule: "status"}

	speccheck.Fail(printer{})(violation)
	speccheck.Fail(printer{}, speccheck.UndocumentedStatus, speccheck.BodyViolation)(violation)
	// Output:
	// test logs: speccheck: admin-api-keys-list 429: status (undocumented-status)
	// test fails: speccheck: admin-api-keys-list 429: status (undocumented-status)
}

// printer is a TB that prints.
type printer struct{}

func (printer) Helper()                           {}
func (printer) Errorf(format string, args ...any) { fmt.Printf("test fails: "+format+"\n", args...) }
func (printer) Fatalf(format string, args ...any) { fmt.Printf("test ends: "+format+"\n", args...) }
func (printer) Logf(format string, args ...any)   { fmt.Printf("test logs: "+format+"\n", args...) }

func ExampleChecker_Check() {
	checker, err := speccheck.New()
	if err != nil {
		log.Fatal(err)
	}
	req, err := http.NewRequest("GET", "https://api.openai.com/v1/organization/admin_api_keys?limit=500", nil)
	if err != nil {
		log.Fatal(err)
	}
	header := http.Header{"Content-Type": {"application/json"}}
	body := []byte(`{"object": "list", "data": [], "has_more": "no"}`)
	for _, v := range checker.Check(req, nil, http.StatusOK, header, body) {
		fmt.Println(v)
	}
	// Output:
	// admin-api-keys-list 200: query parameter limit: maximum: expected 100 (request)
	// admin-api-keys-list 200: response body /has_more: type: expected boolean, found string (body)
}

func ExampleChecker_CheckResponse() {
	checker, err := speccheck.New()
	if err != nil {
		log.Fatal(err)
	}
	body := []byte(`{"object": "organization.project.api_key.deleted", "id": "key_abc"}`)
	for _, v := range checker.CheckResponse("delete-project-api-key", http.StatusOK, "application/json", body) {
		fmt.Printf("%s at %s, expected %s\n", v.Rule, v.Pointer, v.Expected)
	}
	// Output:
	// required at /deleted, expected present
}

func ExampleChecker_Operation() {
	checker, err := speccheck.New()
	if err != nil {
		log.Fatal(err)
	}
	req, err := http.NewRequest("GET", "http://localhost:8080/v1/organization/admin_api_keys", nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(checker.Operation(req))
	// Output:
	// admin-api-keys-list true
}

func ExampleNew() {
	checker, err := speccheck.New(
		speccheck.WithSpec([]byte(`
openapi: 3.1.0
info: {title: Greetings, version: "1"}
paths:
  /greeting:
    get:
      operationId: greet
      responses:
        "200":
          description: A greeting.
          content:
            application/json:
              schema: {type: string, minLength: 1}
`)),
		speccheck.WithMaxBody(1<<20),
	)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(checker.Operations())
	fmt.Println(checker.CheckResponse("greet", 200, "application/json", []byte(`""`)))
	// Output:
	// [greet]
	// [greet 200: response body: minLength: expected 1 (body)]
}
