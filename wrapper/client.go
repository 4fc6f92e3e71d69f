package orgkeys

import (
	"fmt"

	"github.com/orgkeys/orgkeys-go/gen"
)

// Client calls the API. Make one with [NewClient] and share it: it is safe for concurrent
// use, and nothing that was passed in is changed or kept open by it.
type Client struct {
	AdminKeys       *AdminKeyService
	ProjectKeys     *ProjectKeyService
	ServiceAccounts *ServiceAccountService

	generated *gen.ClientWithResponses
}

// NewClient returns a client of the live API that signs with OPENAI_ADMIN_KEY, or what the
// options say. OPENAI_BASE_URL takes the place of the live API's address where
// [WithBaseURL] is absent. No request is sent; a missing or malformed key, base URL or
// option is an error here and now, and the error quotes neither key nor URL.
func NewClient(options ...Option) (*Client, error) {
	c, base, err := configure(options)
	if err != nil {
		return nil, fmt.Errorf("orgkeys: %w", err)
	}
	generated, err := gen.NewClientWithResponses(base.String(), gen.WithHTTPClient(newTransport(c, base)))
	if err != nil {
		return nil, fmt.Errorf("orgkeys: %w", err)
	}
	return &Client{
		AdminKeys:       &AdminKeyService{generated},
		ProjectKeys:     &ProjectKeyService{generated},
		ServiceAccounts: &ServiceAccountService{generated},
		generated:       generated,
	}, nil
}

// Generated returns the generated client on the same way to the API: authenticated, paced,
// retried, limited and logged like every call of this package. An operation that is new in
// the contract can be called on it at once. Its errors are those of the way, and a status
// other than 200 is for its caller to look at: a 5xx or a body that breaks off leaves it open
// what became of a create. So is the Body of its responses, which holds the
// answer as it was sent, the value of a new key included. A request that is no operation of the contract,
// or that a request editor sends to another origin, is refused.
func (c *Client) Generated() *gen.ClientWithResponses { return c.generated }
