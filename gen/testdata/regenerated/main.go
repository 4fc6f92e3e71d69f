// Command regenerated reads answers, one JSON string a line behind the operation that it
// answers, and says for each at which JSON pointer the client finds it wrong, or "ok".
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

	orgkeys "github.com/orgkeys/orgkeys-go/wrapper"
)

type answer string

func (a answer) RoundTrip(*http.Request) (*http.Response, error) {
	header := http.Header{"Content-Type": {"application/json"}}
	return &http.Response{StatusCode: 200, Header: header, Body: io.NopCloser(strings.NewReader(string(a))), ContentLength: int64(len(a))}, nil
}

func main() {
	ctx := context.Background()
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		operation, body, _ := strings.Cut(lines.Text(), " ")
		client, err := orgkeys.NewClient(orgkeys.WithAdminKey("sk-admin-test"), orgkeys.WithHTTPClient(&http.Client{Transport: answer(body)}))
		if err != nil {
			panic(err)
		}
		switch operation {
		case "admin-api-keys-list":
			_, err = client.AdminKeys.List(ctx, orgkeys.AdminKeyListParams{})
		case "admin-api-keys-create":
			_, err = client.AdminKeys.Create(ctx, orgkeys.AdminKeyCreateParams{Name: "ci"})
		case "retrieve-project-api-key":
			_, err = client.ProjectKeys.Get(ctx, "proj_abc", "key_abc")
		case "delete-project-api-key":
			_, err = client.ProjectKeys.Delete(ctx, "proj_abc", "key_abc")
		case "list-project-service-accounts":
			_, err = client.ServiceAccounts.List(ctx, "proj_abc", orgkeys.ServiceAccountListParams{})
		case "create-project-service-account":
			_, err = client.ServiceAccounts.Create(ctx, "proj_abc", orgkeys.ServiceAccountCreateParams{Name: "ci"})
		default:
			panic(operation)
		}
		if err == nil {
			fmt.Println("ok")
		} else if garbage, ok := errors.AsType[*orgkeys.ResponseError](err); ok {
			fmt.Println(garbage.Pointer)
		} else {
			fmt.Println(err)
		}
	}
}
