package apitype_test

import (
	"encoding/json"
	"fmt"

	"github.com/orgkeys/orgkeys-go/apitype"
)

// A struct with a Secret can be printed, encoded and logged: the secret is redacted.
func ExampleSecret() {
	created := struct {
		Name  string
		Value apitype.Secret
	}{"Nightly audit", apitype.NewSecret("sk-admin-1234abcd")}

	fmt.Printf("%+v\n", created)
	text, _ := json.Marshal(created)
	fmt.Println(string(text))
	// Output:
	// {Name:Nightly audit Value:[redacted]}
	// {"Name":"Nightly audit","Value":"[redacted]"}
}

// Only the code that stores the key calls Reveal.
func ExampleSecret_Reveal() {
	vault := map[string]string{}

	value := apitype.NewSecret("sk-admin-1234abcd")
	vault["nightly-audit"] = value.Reveal()

	fmt.Println(value, len(vault["nightly-audit"]))
	// Output: [redacted] 17
}

func ExampleSecret_Equal() {
	a, b := apitype.NewSecret("sk-admin-1234abcd"), apitype.NewSecret("sk-admin-1234abcd")
	fmt.Println(a.Equal(b))
	// Output: true
}

func ExampleUnixTime() {
	var created apitype.UnixTime
	err := json.Unmarshal([]byte("1711471533"), &created)
	fmt.Println(created, err)

	err = json.Unmarshal([]byte(`"1711471533"`), &created)
	fmt.Println(err)
	// Output:
	// 2024-03-26T16:45:33Z <nil>
	// not a Unix time in whole seconds, from 1970 to the year 9999
}

func ExampleUnixTime_Time() {
	fmt.Println(apitype.UnixTime(1711471533).Time().Weekday())
	// Output: Tuesday
}
