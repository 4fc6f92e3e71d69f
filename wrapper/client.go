package orgkeys

import (
	"fmt"

	"github.com/orgkeys/orgkeys-go/gen"
)

// Client calls the API. Create one with [NewClient] and share it: it is safe for concurrent use,
// and its calls share the rate limits that it has found. It changes nothing that was passed in.
type Client struct {
	AdminKeys       *AdminKeyService
	ProjectKeys     *ProjectKeyService
	ServiceAccounts *ServiceAccountService

	generated *gen.ClientWithResponses
}

// NewClient returns a client of the live API that authenticates with OPENAI_ADMIN_KEY, unless
// the options say otherwise. Without [WithBaseURL], OPENAI_BASE_URL replaces the address of the
// live API. NewClient sends no request. It returns an error for a missing or malformed key, base
// URL or option; the error quotes neither key nor URL.
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

// Generated returns the generated client of all operations, whose requests are authenticated,
// limited, retried and logged like those of the services. An operation that was added to the
// contract can be called on it without further code. Transport errors match those of the service
// methods, and a create whose outcome is unknown is an [*UnknownOutcomeError]; the caller checks
// any other status than 200. The Body of a response is the raw body, which contains the value of
// a new key. A request whose method, origin, host or path a request editor changed is not sent.
func (c *Client) Generated() *gen.ClientWithResponses { return c.generated }

// RateLimit returns what the client knows of the rate limit of an operation, named by its
// operationId such as "delete-project-api-key", and how many calls wait for it. Each operation has
// a limit of its own. RateLimit sends nothing and may be called at any time; for an unknown
// operation all fields but the name are zero.
func (c *Client) RateLimit(operation string) RateLimit {
	if gate := c.AdminKeys.pipeline.gates[operation]; gate != nil {
		return gate.snapshot(operation)
	}
	return RateLimit{Operation: operation}
}

// service is what all services have in common.
type service struct {
	pipeline *pipeline
	server   string // the base URL
}
