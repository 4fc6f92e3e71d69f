// Command decode decodes responses with the generated client. Each line of its input contains an
// operationId, a status, a content type and a body. For each it writes a line of JSON: the pointer
// and the problem of the error, or the decoded response as it is printed.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"reflect"
	"strconv"
	"strings"

	"github.com/orgkeys/orgkeys-go/gen"
	"github.com/orgkeys/orgkeys-go/internal/strictjson"
)

type result struct {
	Pointer, Problem string
	Printed          []string
	JSON             string
}

type response struct {
	status            int
	contentType, body string
}

func (r response) Do(request *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: r.status,
		Header:     http.Header{"Content-Type": {r.contentType}},
		Body:       io.NopCloser(strings.NewReader(r.body)),
		Request:    request,
	}, nil
}

func main() {
	methods := map[string]string{} // by operationId
	client := reflect.TypeFor[*gen.ClientWithResponses]()
	for _, operation := range gen.Operations() {
		key := strings.ToLower(strings.NewReplacer("-", "", "_", "").Replace(operation.ID))
		for i := range client.NumMethod() {
			switch name := client.Method(i).Name; strings.ToLower(name) {
			case key + "withresponse", key + "withbodywithresponse":
				methods[operation.ID] = name
			}
		}
	}
	out := json.NewEncoder(os.Stdout)
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		part := strings.SplitN(lines.Text(), "\t", 4)
		status, err := strconv.Atoi(part[1])
		if err != nil {
			panic(err)
		}
		if err := out.Encode(call(methods[part[0]], response{status, part[2], part[3]})); err != nil {
			panic(err)
		}
	}
}

// call calls a method of the client with zero values for its arguments.
func call(name string, r response) result {
	client, err := gen.NewClientWithResponses("https://example.com", gen.WithHTTPClient(r))
	if err != nil {
		panic(err)
	}
	method := reflect.ValueOf(client).MethodByName(name)
	arguments := []reflect.Value{reflect.ValueOf(context.Background())}
	for i := 1; i < method.Type().NumIn()-1; i++ { // the last are the request editors
		argument := reflect.New(method.Type().In(i)).Elem()
		if argument.Kind() == reflect.String {
			argument.SetString("id")
		}
		arguments = append(arguments, argument)
	}
	results := method.Call(arguments)
	if err, _ := results[1].Interface().(error); err != nil {
		if at, ok := errors.AsType[*strictjson.Error](err); ok {
			return result{Pointer: at.Pointer, Problem: at.Problem}
		}
		return result{Problem: err.Error()}
	}
	value := results[0].Interface()
	text, err := json.Marshal(value)
	if err != nil {
		return result{Problem: err.Error()}
	}
	decoded := reflect.ValueOf(value).Elem()
	printed := []string{fmt.Sprint(value), fmt.Sprintf("%+v", value), fmt.Sprintf("%#v", value), fmt.Sprintf("%s", decoded.Interface())}
	for i := range decoded.NumField() {
		if field := decoded.Field(i); strings.Contains(decoded.Type().Field(i).Name, "JSON") && !field.IsNil() {
			body := field.Elem().Interface()
			printed = append(printed, fmt.Sprint(body), fmt.Sprintf("%#v", body))
		}
	}
	return result{Printed: printed, JSON: string(text)}
}
