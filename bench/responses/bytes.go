package responses

import (
	"encoding/json"
	"strconv"
)

// The responses are compact JSON, with properties in the contract's order.

func appendKey(b []byte, k *AdminKey) []byte {
	b = append(b, `{"object":`...)
	b = appendString(b, k.Object)
	b = append(b, `,"id":`...)
	b = appendString(b, k.ID)
	b = append(b, `,"name":`...)
	if k.Name == nil {
		b = append(b, "null"...)
	} else {
		b = appendString(b, *k.Name)
	}
	b = append(b, `,"redacted_value":`...)
	b = appendString(b, k.RedactedValue)
	b = append(b, `,"created_at":`...)
	b = appendTime(b, &k.CreatedAt)
	b = append(b, `,"expires_at":`...)
	b = appendTime(b, k.ExpiresAt)
	b = append(b, `,"last_used_at":`...)
	b = appendTime(b, k.LastUsedAt)
	b = append(b, `,"owner":{"type":`...)
	b = appendString(b, k.Owner.Type)
	b = append(b, `,"object":`...)
	b = appendString(b, k.Owner.Object)
	b = append(b, `,"id":`...)
	b = appendString(b, k.Owner.ID)
	b = append(b, `,"name":`...)
	b = appendString(b, k.Owner.Name)
	b = append(b, `,"created_at":`...)
	b = appendTime(b, &k.Owner.CreatedAt)
	b = append(b, `,"role":`...)
	b = appendString(b, k.Owner.Role)
	return append(b, "}}"...)
}

// appendString appends a JSON string. text must not need escapes.
func appendString(b []byte, text string) []byte {
	b = append(b, '"')
	b = append(b, text...)
	return append(b, '"')
}

func appendTime(b []byte, at *int64) []byte {
	if at == nil {
		return append(b, "null"...)
	}
	return strconv.AppendInt(b, *at, 10)
}

// appendPage appends the page that starts at index first of a list of total keys.
func appendPage(b []byte, first, total int) []byte {
	end := min(first+PageSize, total)
	b = append(b, `{"object":"list","data":[`...)
	for i := first; i < end; i++ {
		if i > first {
			b = append(b, ',')
		}
		k := KeyAt(i)
		b = appendKey(b, &k)
	}
	b = append(b, `],"first_id":`...)
	b = appendString(b, KeyID(first))
	b = append(b, `,"last_id":`...)
	b = appendString(b, KeyID(end-1))
	b = append(b, `,"has_more":`...)
	b = strconv.AppendBool(b, end < total)
	return append(b, '}')
}

func newKeyBytes(index int) []byte {
	k := NewKeyAt(index)
	b := appendKey(nil, &k.AdminKey)
	b = append(b[:len(b)-1], `,"value":`...)
	b = appendString(b, k.Value)
	return append(b, '}')
}

func projectKeyBytes(index int) []byte {
	k := ProjectKeyAt(index)
	type user struct {
		ID        string `json:"id"`
		Email     string `json:"email"`
		Name      string `json:"name"`
		CreatedAt int64  `json:"created_at"`
		Role      string `json:"role"`
	}
	type owner struct {
		Type string `json:"type"`
		User user   `json:"user"`
	}
	return encode(struct {
		Object             string `json:"object"`
		RedactedValue      string `json:"redacted_value"`
		Name               string `json:"name"`
		CreatedAt          int64  `json:"created_at"`
		LastUsedAt         *int64 `json:"last_used_at"`
		ID                 string `json:"id"`
		OwnerProjectAccess string `json:"owner_project_access"`
		Owner              owner  `json:"owner"`
	}{k.Object, k.RedactedValue, k.Name, k.CreatedAt, k.LastUsedAt, k.ID, k.OwnerProjectAccess, owner{
		k.OwnerType, user{k.User.ID, k.User.Email, k.User.Name, k.User.CreatedAt, k.User.Role},
	}})
}

func notFoundBytes() []byte {
	e := NotFound()
	type apiError struct {
		Message string  `json:"message"`
		Type    string  `json:"type"`
		Param   *string `json:"param"`
		Code    string  `json:"code"`
	}
	return encode(struct {
		Error apiError `json:"error"`
	}{apiError{e.Message, e.Type, nil, e.Code}})
}

// deletedBytes returns the response to a delete of the project key at index 0.
func deletedBytes() []byte {
	return encode(struct {
		Object  string `json:"object"`
		ID      string `json:"id"`
		Deleted bool   `json:"deleted"`
	}{"organization.project.api_key.deleted", KeyID(0), true})
}

type account struct {
	Object    string `json:"object"`
	ID        string `json:"id"`
	Name      string `json:"name"`
	Role      string `json:"role"`
	CreatedAt int64  `json:"created_at"`
}

func accountAt(index int) account {
	return account{
		Object:    "organization.project.service_account",
		ID:        "svc_acct_" + random("account", index, 16),
		Name:      purposes[index%len(purposes)],
		Role:      "member",
		CreatedAt: firstTime,
	}
}

// accountsBytes returns the only page of service accounts.
func accountsBytes() []byte {
	page := struct {
		Object  string    `json:"object"`
		Data    []account `json:"data"`
		FirstID string    `json:"first_id"`
		LastID  string    `json:"last_id"`
		HasMore bool      `json:"has_more"`
	}{Object: "list"}
	for i := range len(purposes) {
		page.Data = append(page.Data, accountAt(i))
	}
	page.FirstID, page.LastID = page.Data[0].ID, page.Data[len(page.Data)-1].ID
	return encode(page)
}

func createdAccountBytes() []byte {
	type apiKey struct {
		Object    string `json:"object"`
		Value     string `json:"value"`
		Name      string `json:"name"`
		CreatedAt int64  `json:"created_at"`
		ID        string `json:"id"`
	}
	return encode(struct {
		account
		APIKey apiKey `json:"api_key"`
	}{accountAt(len(purposes)), apiKey{
		"organization.project.service_account.api_key", "sk-" + "svcacct-" + random("secret", 0, 120),
		"Secret Key", firstTime, KeyID(1),
	}})
}

func encode(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}
