// Package answers is the API's side of the benchmarks: the keys of an organization in the form
// that all contenders' results are brought to, the bytes that the API sends for them, and two
// ways to serve those bytes, without a network and over loopback.
package answers

import "strings"

// AdminKey is an admin key in the common form.
type AdminKey struct {
	Object, ID, RedactedValue string
	Name                      *string
	CreatedAt                 int64
	ExpiresAt, LastUsedAt     *int64
	Owner                     Owner
}

// Owner is the owner of an admin key in the common form.
type Owner struct {
	Type, Object, ID, Name, Role string
	CreatedAt                    int64
}

// CreatedAdminKey is a new admin key in the common form.
type CreatedAdminKey struct {
	AdminKey
	Value string
}

// ProjectKey is a project key in the common form.
type ProjectKey struct {
	Object, ID, Name, RedactedValue, OwnerProjectAccess string
	CreatedAt                                           int64
	LastUsedAt                                          *int64
	OwnerType                                           string
	User                                                User
}

// User is the owner of a project key in the common form.
type User struct {
	ID, Email, Name, Role string
	CreatedAt             int64
}

// Refusal is an error answer in the common form.
type Refusal struct {
	Status                     int
	Type, Code, Param, Message string
}

const (
	// BaseURL is where the API is served without a network.
	BaseURL = "https://api.example.com/v1"
	// Signature is the admin key that the contenders sign with.
	Signature = "sk-admin-of-the-benchmarks"
	// ProjectID and ProjectKeyID name the one project key that there is.
	ProjectID    = "proj_5YkVb0fJmKXq8nTz3RwLcD7H"
	ProjectKeyID = "key_Qm4Zt9XvB2sLhW6N"
	// MissingKeyID names none.
	MissingKeyID = "key_gone9XvB2sLhW6N"
	// PageSize is how many keys a page has.
	PageSize = 100
	// Total is how many admin keys there are, for those who iterate over them all.
	Total = 10_000

	owners    = 10
	firstTime = 1711471533
)

var ownerNames = [owners]string{
	"Robin Doe", "Deploy robot", "Ana Souza", "Terraform", "Noor van Dijk",
	"Vault sync", "Łukasz Kowalski", "Mei Tanaka", "Nightly audit", "Sam O'Neill",
}

// Key is the admin key at index in the common form. Owners repeat, as in an organization
// whose keys a dozen people and robots have made; what else tells keys apart differs. Every
// seventh has no name, every third never expires, every fourth was never used.
func Key(index int) AdminKey {
	created := int64(firstTime + 3607*index)
	k := AdminKey{
		Object:        "organization.admin_api_key",
		ID:            keyID(index),
		RedactedValue: "sk-admin" + strings.Repeat("*", 16) + digits(index*7919, 4),
		CreatedAt:     created,
		Owner:         owner(index),
	}
	if index%7 != 6 {
		k.Name = new("pipeline " + digits(index, 6))
	}
	if index%3 != 2 {
		k.ExpiresAt = new(created + 7_776_000)
	}
	if index%4 != 3 {
		k.LastUsedAt = new(created + 86_400)
	}
	return k
}

func owner(index int) Owner {
	n := index * 3 % owners
	o := Owner{
		Type:      "user",
		Object:    "organization.user",
		ID:        "user-" + digits(n*48271+16807, 8) + "Vb0fJmKXq8nTz3Rw",
		Name:      ownerNames[n],
		CreatedAt: firstTime - int64(n)*86_400,
		Role:      "owner",
	}
	if n%3 == 1 {
		o.Type, o.Object, o.Role = "service_account", "organization.service_account", "member"
	}
	return o
}

func keyID(index int) string { return "key_" + digits(index, 8) + "Zt9XvB2s" }

// digits are the last digits of n.
func digits(n, width int) string {
	var b [20]byte
	for i := len(b) - 1; i >= len(b)-width; i-- {
		b[i] = byte('0' + n%10)
		n /= 10
	}
	return string(b[len(b)-width:])
}

// NewKeyName is the name that a key is created with, for NewKeyLife seconds.
const (
	NewKeyName = "pipeline 000000"
	NewKeyLife = 7_776_000
)

// NewKey is the created admin key in the common form.
func NewKey() CreatedAdminKey {
	k := Key(0)
	k.LastUsedAt = nil
	return CreatedAdminKey{AdminKey: k, Value: "sk-" + "admin-" + strings.Repeat("4Zt9XvB2sLhW6NQm", 8)}
}

// TheProjectKey is the project key in the common form.
func TheProjectKey() ProjectKey {
	return ProjectKey{
		Object:             "organization.project.api_key",
		ID:                 ProjectKeyID,
		Name:               "Checkout service",
		RedactedValue:      "sk-proj-" + strings.Repeat("*", 16) + "4XvB",
		OwnerProjectAccess: "active",
		CreatedAt:          firstTime,
		LastUsedAt:         new(int64(firstTime + 86_400)),
		OwnerType:          "user",
		User: User{
			ID:        "user-5YkVb0fJmKXq8nTz3RwLcD7H",
			Email:     "robin.doe@example.com",
			Name:      ownerNames[0],
			Role:      "owner",
			CreatedAt: firstTime - 86_400,
		},
	}
}

// NotFound is the answer to the missing key in the common form.
func NotFound() Refusal {
	return Refusal{
		Status:  404,
		Type:    "invalid_request_error",
		Code:    "not_found",
		Message: "No API key found with ID '" + MissingKeyID + "' in project '" + ProjectID + "'.",
	}
}
