package orgkeys

import (
	"fmt"

	"github.com/orgkeys/orgkeys-go/gen"
)

// Client calls the API. Create one with [NewClient]. A Client is safe for concurrent use. Programs
// should share one Client, since the calls of different Clients do not share rate limits.
type Client struct {
	AdminKeys       *AdminKeyService       // keys that administer the organization
	ProjectKeys     *ProjectKeyService     // keys that call models within one project
	ServiceAccounts *ServiceAccountService // identities of programs within one project

	generated *gen.ClientWithResponses
}

// NewClient returns a client with the given options. By default, it authenticates with the admin
// key in the environment variable OPENAI_ADMIN_KEY, and calls https://api.openai.com/v1, or the
// URL in OPENAI_BASE_URL if that is set. NewClient sends no request and does not modify what the
// options refer to. It returns an error if the admin key is missing, or if a key, URL or option is
// invalid; the error contains neither the key nor the URL.
func NewClient(options ...Option) (*Client, error) {
	c, base, err := configure(options)
	if err != nil {
		return nil, fmt.Errorf("orgkeys: %w", err)
	}
	s := service{newPipeline(c, base), base.String()}
	generated, err := gen.NewClientWithResponses(s.server, gen.WithHTTPClient(doer{s.pipeline}))
	if err != nil {
		return nil, fmt.Errorf("orgkeys: %w", err)
	}
	return &Client{
		AdminKeys:       &AdminKeyService{s},
		ProjectKeys:     &ProjectKeyService{s},
		ServiceAccounts: &ServiceAccountService{s},
		generated:       generated,
	}, nil
}

// Generated returns the generated client, which has a method for every operation in the contract
// (api/openapi.yaml), also for those that no service has. Its requests are authenticated, rate
// limited, retried and logged like those of the services.
//
// Transport errors match those of the service methods. A create whose outcome is unknown returns
// an [*UnknownOutcomeError]. Any other response with a status other than 200 is returned without
// an error, so that callers must check the status. The Body of a response is the body as it was
// received, including the value of a new key. A request is not sent if a request editor has
// changed its method, origin, host or path; the error matches [ErrInvalidArgument].
func (c *Client) Generated() *gen.ClientWithResponses { return c.generated }

// RateLimit returns the present rate of requests of one operation, the number of calls that wait,
// and the time of the next request. operation is an operationId, such as
// [OperationProjectKeysDelete]; each operation has a limit of its own. RateLimit sends no request
// and is safe for concurrent use. For an unknown operation, all fields but Operation are zero.
func (c *Client) RateLimit(operation string) RateLimit {
	if gate := c.AdminKeys.pipeline.gates[operation]; gate != nil {
		return gate.snapshot(operation)
	}
	return RateLimit{Operation: operation}
}

// service is embedded in each service.
type service struct {
	pipeline *pipeline
	server   string // the base URL
}
