package orgkeys

import (
	"time"

	"github.com/orgkeys/orgkeys-go/apitype"
	"github.com/orgkeys/orgkeys-go/gen"
)

// The types of the contract, under the names that this package's users know them by. They are
// aliases, so that a field that is new in the contract is there as soon as it is generated.
// A pointer is nil where the API sent null or nothing.
type (
	AdminKey             = gen.AdminAPIKey                 // a key of the organization, without its value
	AdminKeyOwner        = gen.AdminAPIKeyOwner            // who an admin key belongs to
	AdminKeyPage         = gen.APIKeyList                  // a page of admin keys
	AdminKeyListParams   = gen.AdminAPIKeysListParams      // what AdminKeyService.List is asked for
	AdminKeyOrder        = gen.AdminAPIKeysListParamsOrder // a direction in creation time
	AdminKeyCreateParams = gen.AdminAPIKeysCreateJSONBody  // what AdminKeyService.Create is asked for
	CreatedAdminKey      = gen.AdminAPIKeyCreateResponse   // a new admin key, with its value

	ProjectKey             = gen.ProjectAPIKey               // a key of a project, without its value
	ProjectKeyUpdateParams = gen.ProjectAPIKeyUpdateRequest  // the changes that ProjectKeyService.Update makes
	ProjectKeyOwner        = gen.ProjectAPIKeyOwner          // who a project key belongs to
	DeletedProjectKey      = gen.ProjectAPIKeyDeleteResponse // a project key that is revoked

	ServiceAccount             = gen.ProjectServiceAccount               // a service account of a project
	ServiceAccountPage         = gen.ProjectServiceAccountListResponse   // a page of service accounts
	ServiceAccountListParams   = gen.ListProjectServiceAccountsParams    // what ServiceAccountService.List is asked for
	ServiceAccountCreateParams = gen.ProjectServiceAccountCreateRequest  // what ServiceAccountService.Create is asked for
	CreatedServiceAccount      = gen.ProjectServiceAccountCreateResponse // a new service account, with its key
	ServiceAccountKey          = gen.ProjectServiceAccountAPIKey         // the key of a new service account, with its value

	UnixTime     = apitype.UnixTime     // a time, in seconds since 1970
	OptionalTime = apitype.OptionalTime // a time that may be null or absent
	Secret       = apitype.Secret       // a key's value, which only Reveal shows
)

// Orders of a list of admin keys.
const (
	AdminKeysOldestFirst = gen.AdminAPIKeysListParamsOrderAsc // the default
	AdminKeysNewestFirst = gen.AdminAPIKeysListParamsOrderDesc
)

// TimeAt returns an [OptionalTime] that contains t, cut to whole seconds.
func TimeAt(t time.Time) OptionalTime { return apitype.TimeAt(t) }

// NullTime returns an [OptionalTime] that is null.
func NullTime() OptionalTime { return apitype.NullTime() }
