package orgkeystest

import (
	"cmp"
	"crypto/rand"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"time"

	"github.com/orgkeys/orgkeys-go/apitype"
	"github.com/orgkeys/orgkeys-go/gen"
)

// AdminKey is an admin key as a list contains it.
type AdminKey = gen.AdminAPIKey

// CreatedAdminKey is a new admin key with its value.
type CreatedAdminKey = gen.AdminAPIKeyCreateResponse

// ProjectKey is a key of a project.
type ProjectKey = gen.ProjectAPIKey

// ServiceAccount is a service account as a list contains it.
type ServiceAccount = gen.ProjectServiceAccount

// CreatedServiceAccount is a new service account with its first key, which has its value.
type CreatedServiceAccount = gen.ProjectServiceAccountCreateResponse

// organization is the state of the server.
type organization struct {
	older       bool // see WithOlderServer
	adminKeys   list[AdminKey]
	projects    map[string]*project
	credentials map[string]credential // by the key's value
	values      map[credential]string // the reverse, without Server.AdminKey
	keysCreated int                   // by requests
}

type project struct {
	archived bool
	keys     list[ProjectKey]
	scopes   map[string][]string // by key id; no entry means no restriction
	accounts list[ServiceAccount]
}

func newOrganization(older bool) *organization {
	return &organization{
		older: older, projects: make(map[string]*project),
		credentials: make(map[string]credential), values: make(map[credential]string),
	}
}

// project returns the project, and adds it if there is none.
func (o *organization) project(id string) *project {
	p := o.projects[id]
	if p == nil {
		p = &project{scopes: make(map[string][]string)}
		o.projects[id] = p
	}
	return p
}

func (o *organization) addAdminKey(key AdminKey) CreatedAdminKey {
	value := newValue("sk-admin-")
	key = o.completeAdminKey(key, value)
	o.adminKeys.add(key.ID, key.CreatedAt, key)
	o.accept(value, credential{admin: true, id: key.ID})
	return CreatedAdminKey{
		Object: gen.AdminAPIKeyCreateResponseObject(key.Object), ID: key.ID, Name: key.Name, Owner: key.Owner,
		RedactedValue: key.RedactedValue, CreatedAt: key.CreatedAt, ExpiresAt: key.ExpiresAt, LastUsedAt: key.LastUsedAt,
		Value: apitype.NewSecret(value),
	}
}

// addServiceAccount adds an account and, unless accountOnly is set, a key that expires at
// expiresAt.
func (o *organization) addServiceAccount(projectID, name string, accountOnly bool, expiresAt apitype.OptionalTime) CreatedServiceAccount {
	account := ServiceAccount{Name: name}
	if accountOnly {
		account.Role = gen.ProjectServiceAccountRoleNone
	}
	account = completeServiceAccount(account)
	p := o.project(projectID)
	p.accounts.add(account.ID, account.CreatedAt, account)
	created := CreatedServiceAccount{
		Object: gen.ProjectServiceAccountCreateResponseObject(account.Object),
		ID:     account.ID, Name: name, CreatedAt: account.CreatedAt,
		Role: gen.ProjectServiceAccountCreateResponseRole(account.Role),
	}
	if accountOnly {
		return created
	}
	value := newValue("sk-svcacct-")
	key := o.completeProjectKey(ProjectKey{
		Name: "Secret Key", ExpiresAt: expiresAt,
		Owner: gen.ProjectAPIKeyOwner{
			Type: new(gen.ProjectAPIKeyOwnerTypeServiceAccount),
			ServiceAccount: &gen.ProjectAPIKeyOwnerServiceAccount{
				ID: account.ID, Name: name, CreatedAt: account.CreatedAt, Role: string(account.Role),
			},
		},
	}, value)
	p.keys.add(key.ID, key.CreatedAt, key)
	o.accept(value, credential{project: projectID, id: key.ID})
	created.APIKey = &gen.ProjectServiceAccountAPIKey{
		Object: gen.ProjectServiceAccountAPIKeyObjectOrganizationProjectServiceAccountAPIKey,
		ID:     key.ID, Name: key.Name, CreatedAt: key.CreatedAt, ExpiresAt: key.ExpiresAt, Value: apitype.NewSecret(value),
	}
	return created
}

// completeAdminKey sets the fields of key that are zero.
func (o *organization) completeAdminKey(key AdminKey, value string) AdminKey {
	key.Object = gen.AdminAPIKeyObjectOrganizationAdminAPIKey
	key.ID = cmp.Or(key.ID, newID("key"))
	key.RedactedValue = cmp.Or(key.RedactedValue, redact(value))
	key.CreatedAt = cmp.Or(key.CreatedAt, now())
	key.ExpiresAt, key.LastUsedAt = o.expiration(key.ExpiresAt), orNull(key.LastUsedAt)
	if reflect.ValueOf(key.Owner).IsZero() {
		key.Owner = gen.AdminAPIKeyOwner{
			Type: new("user"), Object: new("organization.user"), ID: new("user_robin"), Name: new("Robin Doe"),
			Role: new("owner"), CreatedAt: apitype.TimeAt(userCreatedAt.Time()),
		}
	}
	return completed("AdminApiKey", key)
}

// completeProjectKey sets the fields of key that are zero.
func (o *organization) completeProjectKey(key ProjectKey, value string) ProjectKey {
	key.Object = gen.ProjectAPIKeyObjectOrganizationProjectAPIKey
	key.ID = cmp.Or(key.ID, newID("key"))
	key.RedactedValue = cmp.Or(key.RedactedValue, redact(value))
	key.CreatedAt = cmp.Or(key.CreatedAt, now())
	key.ExpiresAt, key.LastUsedAt = o.expiration(key.ExpiresAt), orNull(key.LastUsedAt)
	if o.older {
		key.OwnerProjectAccess = nil
	} else {
		key.OwnerProjectAccess = cmp.Or(key.OwnerProjectAccess, new(gen.ProjectAPIKeyOwnerProjectAccessActive))
	}
	if reflect.ValueOf(key.Owner).IsZero() {
		key.Owner = gen.ProjectAPIKeyOwner{Type: new(gen.ProjectAPIKeyOwnerTypeUser), User: &gen.ProjectAPIKeyOwnerUser{
			ID: "user_robin", Name: "Robin Doe", Email: "robin@example.com", Role: "owner", CreatedAt: userCreatedAt,
		}}
	}
	return completed("ProjectApiKey", key)
}

// completeServiceAccount sets the fields of account that are zero.
func completeServiceAccount(account ServiceAccount) ServiceAccount {
	account.Object = gen.ProjectServiceAccountObjectOrganizationProjectServiceAccount
	account.ID = cmp.Or(account.ID, newID("svc_acct"))
	account.Role = cmp.Or(account.Role, gen.ProjectServiceAccountRoleMember)
	account.CreatedAt = cmp.Or(account.CreatedAt, now())
	return completed("ProjectServiceAccount", account)
}

// expiration returns t with null instead of absent. On an older server, it returns absent.
func (o *organization) expiration(t apitype.OptionalTime) apitype.OptionalTime {
	if o.older {
		return apitype.OptionalTime{}
	}
	return orNull(t)
}

func orNull(t apitype.OptionalTime) apitype.OptionalTime { return cmp.Or(t, apitype.NullTime()) }

// userCreatedAt is the creation time of the organization's only user. It is before the year 2000,
// in which the clock of a synctest bubble starts.
const userCreatedAt apitype.UnixTime = 915148800

func now() apitype.UnixTime { return apitype.UnixTime(time.Now().Unix()) }

func newID(kind string) string { return kind + "_" + rand.Text() }

func newValue(prefix string) string { return prefix + rand.Text() + rand.Text() }

// AddProject adds a project. It does nothing if a project with the id exists.
func (s *Server) AddProject(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.org.project(id)
}

// ArchiveProject archives a project, and adds it if none with the id exists. Requests to list
// or create the service accounts of an archived project get a 400.
func (s *Server) ArchiveProject(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.org.project(id).archived = true
}

// AddAdminKey adds an admin key, for example one that was never used or that has expired. It
// returns the key with its value, which the server accepts until the key expires or is revoked.
//
// Zero fields get defaults: a new id, a redacted value, the present time as creation time, null
// as expiration and last use, and the organization's only user as owner. Other required fields
// get the contract's example. AddAdminKey panics if the id was used before.
func (s *Server) AddAdminKey(key AdminKey) CreatedAdminKey {
	s.mu.Lock()
	defer s.mu.Unlock()
	mustBeNew(s.org.adminKeys.known(key.ID), key.ID)
	return clone(s.org.addAdminKey(clone(key)))
}

// AddAdminKeys adds n admin keys. Their values are not available, so that no request can use
// them. Their names are "key 1", "key 2" and so on. Adding 100,000 keys takes less than a second.
func (s *Server) AddAdminKeys(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	template := s.org.completeAdminKey(AdminKey{}, newValue("sk-admin-"))
	for range n {
		key := template
		name := "key " + strconv.Itoa(len(s.org.adminKeys.items)+1)
		key.ID, key.Name, key.RedactedValue = newID("key"), &name, redact(newValue("sk-admin-"))
		s.org.adminKeys.add(key.ID, key.CreatedAt, key)
	}
}

// RevokeAdminKey removes an admin key from the list and makes its value invalid. It does nothing
// if no key with the id exists.
func (s *Server) RevokeAdminKey(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.org.adminKeys.remove(id)
	s.org.forget(credential{admin: true, id: id})
}

// AddProjectKey adds a key to a project, and the project if none with the id exists. It returns
// the key as the API does.
//
// Zero fields get defaults: a new id, a redacted value, the present time as creation time, null
// as expiration and last use, and the organization's only user as owner. Other required fields,
// the name among them, get the contract's example. AddProjectKey panics if the id was used before
// in the project.
func (s *Server) AddProjectKey(projectID string, key ProjectKey) ProjectKey {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.org.project(projectID)
	mustBeNew(p.keys.known(key.ID), key.ID)
	key = s.org.completeProjectKey(clone(key), newValue("sk-proj-"))
	p.keys.add(key.ID, key.CreatedAt, key)
	return clone(key)
}

// AddProjectKeys adds n keys of the organization's only user to a project, and the project if
// none with the id exists. It returns their ids in the order of creation. The names are "key 1",
// "key 2" and so on.
func (s *Server) AddProjectKeys(projectID string, n int) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.org.project(projectID)
	template := s.org.completeProjectKey(ProjectKey{}, newValue("sk-proj-"))
	ids := make([]string, n)
	for i := range ids {
		key := template
		key.Name = "key " + strconv.Itoa(len(p.keys.items)+1)
		key.ID, key.RedactedValue = newID("key"), redact(newValue("sk-proj-"))
		p.keys.add(key.ID, key.CreatedAt, key)
		ids[i] = key.ID
	}
	return ids
}

// AddServiceAccount adds a service account with a key that never expires to a project, and the
// project if none with the id exists. It returns the account with its key, as the API does.
func (s *Server) AddServiceAccount(projectID, name string) CreatedServiceAccount {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.org.addServiceAccount(projectID, name, false, apitype.NullTime())
}

// AddServiceAccountOnly adds a service account without a key to a project, and the project if
// none with the id exists. It returns the account as the API does. [Server.AddProjectKey] can add
// a key that the account owns.
//
// Zero fields get defaults: a new id, the role member and the present time as creation time.
// Other required fields, the name among them, get the contract's example. AddServiceAccountOnly
// panics if the id was used before in the project.
func (s *Server) AddServiceAccountOnly(projectID string, account ServiceAccount) ServiceAccount {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.org.project(projectID)
	mustBeNew(p.accounts.known(account.ID), account.ID)
	account = completeServiceAccount(clone(account))
	p.accounts.add(account.ID, account.CreatedAt, account)
	return clone(account)
}

func mustBeNew(known bool, id string) {
	if known {
		panic(fmt.Sprintf("orgkeystest: the id %q was used before", id))
	}
}

// AdminKeys returns the admin keys, oldest first. [Server.AdminKey] is not among them.
func (s *Server) AdminKeys() []AdminKey {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.org.adminKeys.all()
}

// ProjectKeys returns the keys of a project, those of its service accounts included, oldest
// first.
func (s *Server) ProjectKeys(projectID string) []ProjectKey {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.org.projects[projectID]; p != nil {
		return p.keys.all()
	}
	return nil
}

// ProjectKeyScopes returns the scopes that restrict a project key, as the last update set them.
// No response of the API contains them. The result is empty if the key is not restricted or does
// not exist.
func (s *Server) ProjectKeyScopes(projectID, keyID string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.org.projects[projectID]; p != nil {
		return slices.Clone(p.scopes[keyID])
	}
	return nil
}

// ServiceAccounts returns the service accounts of a project, oldest first.
func (s *Server) ServiceAccounts(projectID string) []ServiceAccount {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.org.projects[projectID]; p != nil {
		return p.accounts.all()
	}
	return nil
}

// KeysCreated returns the number of keys that requests have created: admin keys, and keys of
// service accounts. Keys added by the Add methods do not count. The field KeysCreated of a
// [Request] is the number for that request.
func (s *Server) KeysCreated() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.org.keysCreated
}
