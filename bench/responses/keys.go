// Package responses is the server side of the benchmarks. It defines the keys of an organization,
// in a common form that the results of all clients are converted to, and the bytes of the API's
// responses. It serves those bytes without a network, as an http.RoundTripper, and over loopback.
package responses

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"strings"
)

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

// Error is an error response in the common form.
type Error struct {
	Status                     int
	Type, Code, Param, Message string
}

const (
	// BaseURL is the base URL for calls without a network.
	BaseURL = "https://api.example.com/v1"
	// AdminKeyValue authenticates the clients.
	AdminKeyValue = "sk-admin-of-the-benchmarks"
	// ProjectID is the id of the only project.
	ProjectID = "proj_5YkVb0fJmKXq8nTz3RwLcD7H"
	// MissingKeyID is the id of a key that does not exist.
	MissingKeyID = "key_99999999XvB2sLhW"
	// PageSize is the number of keys on a page.
	PageSize = 100
	// Total is the number of different admin keys.
	Total = 10_000
	// Different is the number of different responses to calls of one operation, so that caches
	// do not make a client look faster than it is.
	Different = 1000

	owners    = 10
	firstTime = 1711471533
)

var ownerNames = [owners]string{
	"Robin Doe", "Deploy robot", "Ana Souza", "Terraform", "Noor van Dijk",
	"Vault sync", "Łukasz Kowalski", "Mei Tanaka", "Nightly audit", "Sam O'Neill",
}

var purposes = []string{"nightly audit", "ci", "terraform", "billing export", "incident drill", "vault", "migration"}

// KeyAt returns the admin key at index. The keys have ten owners, as in an organization of a few
// people and programs; their other properties differ. Every seventh key has no name, every third
// never expires, every fourth was never used. From index Total on, all but the ids repeat.
func KeyAt(index int) AdminKey {
	id := KeyID(index)
	index %= Total
	created := int64(firstTime + 3607*index)
	k := AdminKey{
		Object:        "organization.admin_api_key",
		ID:            id,
		RedactedValue: "sk-admin" + strings.Repeat("*", 16) + random("value", index, 4),
		CreatedAt:     created,
		Owner:         owner(index),
	}
	if index%7 != 6 {
		k.Name = new(purposes[index*5%len(purposes)] + " " + random("name", index, 6))
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
		ID:        "user-" + random("owner", n, 24),
		Name:      ownerNames[n],
		CreatedAt: firstTime - int64(n)*86_400,
		Role:      "owner",
	}
	if n%3 == 1 {
		o.Type, o.Object, o.Role = "service_account", "organization.service_account", "member"
	}
	return o
}

// KeyID returns the id of the admin key and of the project key at index. The id contains the index,
// so that the server finds the response without a search.
func KeyID(index int) string { return "key_" + digits(index, 8) + random("key", index%Total, 8) }

// digits returns the last width decimal digits of n.
func digits(n, width int) string {
	var b [20]byte
	for i := len(b) - 1; i >= len(b)-width; i-- {
		b[i] = byte('0' + n%10)
		n /= 10
	}
	return string(b[len(b)-width:])
}

// random returns width letters and digits that look random and depend only on kind and n.
func random(kind string, n, width int) string {
	const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	hash := fnv.New64a()
	_, _ = fmt.Fprint(hash, kind, n)
	r := rand.New(rand.NewPCG(hash.Sum64(), 0))
	b := make([]byte, width)
	for i := range b {
		b[i] = alphabet[r.IntN(len(alphabet))]
	}
	return string(b)
}

const (
	// NewKeyName is the name of created admin keys.
	NewKeyName = "nightly audit 2024"
	// NewKeyLifetime is the lifetime of created admin keys, in seconds.
	NewKeyLifetime = 7_776_000
)

// NewKeyAt returns the admin key that the create with the given index returns.
func NewKeyAt(index int) CreatedAdminKey {
	k := KeyAt(Total + index)
	k.Name, k.LastUsedAt, k.Owner = new(NewKeyName), nil, owner(0)
	k.ExpiresAt = new(k.CreatedAt + NewKeyLifetime)
	return CreatedAdminKey{AdminKey: k, Value: "sk-" + "admin-" + random("secret", index, 120)}
}

// ProjectKeyAt returns the project key at index.
func ProjectKeyAt(index int) ProjectKey {
	k := KeyAt(index)
	return ProjectKey{
		Object:             "organization.project.api_key",
		ID:                 k.ID,
		Name:               purposes[index%len(purposes)] + " " + random("name", index, 6),
		RedactedValue:      "sk-proj-" + strings.Repeat("*", 16) + random("value", index, 4),
		OwnerProjectAccess: "active",
		CreatedAt:          k.CreatedAt,
		LastUsedAt:         k.LastUsedAt,
		OwnerType:          "user",
		User: User{
			ID:        k.Owner.ID,
			Email:     random("email", index%owners, 8) + "@example.com",
			Name:      k.Owner.Name,
			Role:      "owner",
			CreatedAt: k.Owner.CreatedAt,
		},
	}
}

// NotFound returns the response to a request for MissingKeyID.
func NotFound() Error {
	return Error{
		Status:  404,
		Type:    "invalid_request_error",
		Code:    "not_found",
		Message: "No API key found with ID '" + MissingKeyID + "' in project '" + ProjectID + "'.",
	}
}
