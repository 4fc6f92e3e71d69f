package orgkeystest

import (
	"cmp"
	"crypto/rand"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/orgkeys/orgkeys-go/apitype"
	"github.com/orgkeys/orgkeys-go/gen"
)

// AdminKey is an admin key as a client lists it.
type AdminKey = gen.AdminAPIKey

// CreatedAdminKey is an admin key with its value, as a client gets it from a create.
type CreatedAdminKey = gen.AdminAPIKeyCreateResponse

// ProjectKey is a project's key as a client gets it.
type ProjectKey = gen.ProjectAPIKey

// ServiceAccount is a service account as a client lists it.
type ServiceAccount = gen.ProjectServiceAccount

// CreatedServiceAccount is a service account with its key's value, as a client gets it from a
// create.
type CreatedServiceAccount = gen.ProjectServiceAccountCreateResponse

// organization is what the server knows.
type organization struct {
	adminKeys   list[AdminKey]
	projects    map[string]*project
	credentials map[string]credential // by the key's value
	minted      int                   // by requests
}

type project struct {
	archived bool
	keys     list[ProjectKey]
	accounts list[ServiceAccount]
}

// credential is what a key may do: administer the organization, or not.
type credential struct {
	admin bool
	id    string // the admin key's id in the list, if it is there
}

func newOrganization() *organization {
	return &organization{projects: make(map[string]*project), credentials: make(map[string]credential)}
}

// enrol makes an admin key that works and is not in the list.
func (o *organization) enrol() string {
	value := newValue("sk-admin-")
	o.credentials[value] = credential{admin: true}
	return value
}

func (o *organization) addAdminKey(key AdminKey) CreatedAdminKey {
	value := newValue("sk-admin-")
	key = fillAdminKey(key, value)
	o.adminKeys.add(key.ID, key.CreatedAt, key)
	o.credentials[value] = credential{admin: true, id: key.ID}
	return CreatedAdminKey{
		Object: gen.AdminAPIKeyCreateResponseObject(key.Object), ID: key.ID, Name: key.Name, Owner: key.Owner,
		RedactedValue: key.RedactedValue, CreatedAt: key.CreatedAt, ExpiresAt: key.ExpiresAt, LastUsedAt: key.LastUsedAt,
		Value: apitype.NewSecret(value),
	}
}

func (o *organization) addServiceAccount(projectID, name string, accountOnly bool) CreatedServiceAccount {
	account := ServiceAccount{
		Object: gen.ProjectServiceAccountObjectOrganizationProjectServiceAccount,
		ID:     newID("svc_acct"), Name: name, Role: gen.ProjectServiceAccountRoleMember, CreatedAt: now(),
	}
	if accountOnly {
		account.Role = gen.ProjectServiceAccountRoleNone
	}
	p := o.project(projectID)
	p.accounts.add(account.ID, account.CreatedAt, account)
	made := CreatedServiceAccount{
		Object: gen.ProjectServiceAccountCreateResponseObject(account.Object),
		ID:     account.ID, Name: name, CreatedAt: account.CreatedAt,
		Role: gen.ProjectServiceAccountCreateResponseRole(account.Role),
	}
	if accountOnly {
		return made
	}
	value := newValue("sk-svcacct-")
	key := fillProjectKey(ProjectKey{
		Name: "Secret Key",
		Owner: gen.ProjectAPIKeyOwner{
			Type: new(gen.ProjectAPIKeyOwnerTypeServiceAccount),
			ServiceAccount: &gen.ProjectAPIKeyOwnerServiceAccount{
				ID: account.ID, Name: name, CreatedAt: account.CreatedAt, Role: string(account.Role),
			},
		},
	}, value)
	p.keys.add(key.ID, key.CreatedAt, key)
	o.credentials[value] = credential{}
	made.APIKey = &gen.ProjectServiceAccountAPIKey{
		Object: gen.ProjectServiceAccountAPIKeyObjectOrganizationProjectServiceAccountAPIKey,
		ID:     key.ID, Name: key.Name, CreatedAt: key.CreatedAt, Value: apitype.NewSecret(value),
	}
	return made
}

// project returns the project, which it makes where there is none.
func (o *organization) project(id string) *project {
	p := o.projects[id]
	if p == nil {
		p = &project{}
		o.projects[id] = p
	}
	return p
}

func fillAdminKey(key AdminKey, value string) AdminKey {
	key.Object = gen.AdminAPIKeyObjectOrganizationAdminAPIKey
	key.ID = cmp.Or(key.ID, newID("key"))
	key.RedactedValue = cmp.Or(key.RedactedValue, redact(value))
	key.CreatedAt = cmp.Or(key.CreatedAt, now())
	key.ExpiresAt, key.LastUsedAt = orNull(key.ExpiresAt), orNull(key.LastUsedAt)
	if key.Owner == (gen.AdminAPIKeyOwner{}) {
		key.Owner = defaultAdminKeyOwner
	}
	return key
}

func fillProjectKey(key ProjectKey, value string) ProjectKey {
	key.Object = gen.ProjectAPIKeyObjectOrganizationProjectAPIKey
	key.ID = cmp.Or(key.ID, newID("key"))
	key.RedactedValue = cmp.Or(key.RedactedValue, redact(value))
	key.CreatedAt = cmp.Or(key.CreatedAt, now())
	key.ExpiresAt, key.LastUsedAt = orNull(key.ExpiresAt), orNull(key.LastUsedAt)
	if key.OwnerProjectAccess == nil {
		key.OwnerProjectAccess = new(gen.ProjectAPIKeyOwnerProjectAccessActive)
	}
	if key.Owner == (gen.ProjectAPIKeyOwner{}) {
		key.Owner = gen.ProjectAPIKeyOwner{Type: new(gen.ProjectAPIKeyOwnerTypeUser), User: &gen.ProjectAPIKeyOwnerUser{
			ID: "user_robin", Name: "Robin Doe", Email: "robin@example.com", Role: "owner", CreatedAt: joined,
		}}
	}
	return key
}

// joined is when the one user of the organization came: before the year 2000, in which the
// clock of a synctest bubble starts.
const joined apitype.UnixTime = 915148800

var defaultAdminKeyOwner = gen.AdminAPIKeyOwner{
	Type: new("user"), Object: new("organization.user"), ID: new("user_robin"), Name: new("Robin Doe"),
	Role: new("owner"), CreatedAt: apitype.TimeAt(joined.Time()),
}

// orNull returns null in place of an absent time, as the live API does.
func orNull(t apitype.OptionalTime) apitype.OptionalTime { return cmp.Or(t, apitype.NullTime()) }

// expiry returns the time so many seconds from now.
func expiry(seconds int) apitype.OptionalTime {
	return apitype.TimeAt(time.Now().Add(time.Duration(seconds) * time.Second))
}

func now() apitype.UnixTime { return apitype.UnixTime(time.Now().Unix()) }

func newID(kind string) string { return kind + "_" + rand.Text() }

func newValue(prefix string) string { return prefix + rand.Text() + rand.Text() }

// redact keeps of a key what the API shows of one: 8 characters, and the last 4. Of what is
// too short to be a key it keeps less.
func redact(value string) string {
	head, tail := min(8, len(value)/3), min(4, len(value)/6)
	return value[:head] + strings.Repeat("*", 20) + value[len(value)-tail:]
}

// AddProject adds a project. Adding one that is there changes nothing.
func (s *Server) AddProject(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.org.project(id)
}

// ArchiveProject archives a project, which it adds where there is none. The service accounts
// of an archived project can neither be listed nor created: both are answered with a 400.
func (s *Server) ArchiveProject(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.org.project(id).archived = true
}

// AddAdminKeys adds n admin keys, of which nobody knows the values. A hundred thousand are no
// burden.
func (s *Server) AddAdminKeys(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for range n {
		name := "key " + strconv.Itoa(len(s.org.adminKeys.items)+1)
		key := fillAdminKey(AdminKey{Name: &name}, newValue("sk-admin-"))
		s.org.adminKeys.add(key.ID, key.CreatedAt, key)
	}
}

// AddAdminKey adds an admin key, such as one that was never used, or that has expired, and
// returns it with its value, which works as an admin key until then. Fields that are zero get
// a value: an id and a redacted value of the key's own, the present as creation time, and the
// organization's one user as owner. It panics where the id is taken.
func (s *Server) AddAdminKey(key AdminKey) CreatedAdminKey {
	s.mu.Lock()
	defer s.mu.Unlock()
	mustBeNew(s.org.adminKeys.known(key.ID), key.ID)
	return clone(s.org.addAdminKey(clone(key)))
}

// RevokeAdminKey takes an admin key out of the list and makes its value worthless.
func (s *Server) RevokeAdminKey(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.org.adminKeys.remove(id)
	for value, c := range s.org.credentials {
		if c.id == id && id != "" {
			delete(s.org.credentials, value)
		}
	}
}

// AddProjectKey adds a key to a project, which it adds too where there is none, and returns
// the key as the API would. Fields that are zero get a value: an id and a redacted value of
// the key's own, the present as creation time, and as owner the organization's one user. It
// panics where the id is taken.
func (s *Server) AddProjectKey(projectID string, key ProjectKey) ProjectKey {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.org.project(projectID)
	mustBeNew(p.keys.known(key.ID), key.ID)
	key = fillProjectKey(clone(key), newValue("sk-proj-"))
	p.keys.add(key.ID, key.CreatedAt, key)
	return clone(key)
}

// AddServiceAccount adds a service account and its key to a project, which it adds too where
// there is none, and returns both as the API would.
func (s *Server) AddServiceAccount(projectID, name string) CreatedServiceAccount {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.org.addServiceAccount(projectID, name, false)
}

func mustBeNew(known bool, id string) {
	if known {
		panic(fmt.Sprintf("orgkeystest: there is or was a key with the id %q", id))
	}
}

// AdminKeys returns the admin keys, the oldest first.
func (s *Server) AdminKeys() []AdminKey {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.org.adminKeys.all()
}

// ProjectKeys returns a project's keys, the oldest first.
func (s *Server) ProjectKeys(projectID string) []ProjectKey {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.org.projects[projectID]; p != nil {
		return p.keys.all()
	}
	return nil
}

// ServiceAccounts returns a project's service accounts, the oldest first.
func (s *Server) ServiceAccounts(projectID string) []ServiceAccount {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.org.projects[projectID]; p != nil {
		return p.accounts.all()
	}
	return nil
}

// KeysCreated returns how many keys requests have minted so far: admin keys, and the keys of
// service accounts. What a test added itself does not count. [Server.Requests] tells which
// request minted.
func (s *Server) KeysCreated() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.org.minted
}
