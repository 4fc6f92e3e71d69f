// Package hand is a client written by hand with net/http and encoding/json, as a careful engineer
// might write it. It makes six calls. One function sets a timeout, authenticates, limits and reads
// the body, checks the status and decodes. Errors are typed. It neither retries nor validates
// responses.
package hand

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Client calls the API.
type Client struct {
	BaseURL  string
	AdminKey string
	Timeout  time.Duration // of a call
	HTTP     *http.Client
}

// maxBody is the size in bytes of the largest body that is read.
const maxBody = 8 << 20

// AdminKey is a key of the organization.
type AdminKey struct {
	Object        string        `json:"object"`
	ID            string        `json:"id"`
	Name          *string       `json:"name"`
	RedactedValue string        `json:"redacted_value"`
	CreatedAt     int64         `json:"created_at"`
	ExpiresAt     *int64        `json:"expires_at"`
	LastUsedAt    *int64        `json:"last_used_at"`
	Owner         AdminKeyOwner `json:"owner"`
}

// AdminKeyOwner is the owner of an admin key.
type AdminKeyOwner struct {
	Type      string `json:"type"`
	Object    string `json:"object"`
	ID        string `json:"id"`
	Name      string `json:"name"`
	CreatedAt int64  `json:"created_at"`
	Role      string `json:"role"`
}

// CreatedAdminKey is a new admin key with its value.
type CreatedAdminKey struct {
	AdminKey
	Value string `json:"value"`
}

// Page is a page of a list.
type Page[T any] struct {
	Object  string  `json:"object"`
	Data    []T     `json:"data"`
	FirstID *string `json:"first_id"`
	LastID  *string `json:"last_id"`
	HasMore bool    `json:"has_more"`
}

// ProjectKey is a key of a project.
type ProjectKey struct {
	Object             string          `json:"object"`
	RedactedValue      string          `json:"redacted_value"`
	Name               string          `json:"name"`
	CreatedAt          int64           `json:"created_at"`
	LastUsedAt         *int64          `json:"last_used_at"`
	ID                 string          `json:"id"`
	OwnerProjectAccess string          `json:"owner_project_access"`
	Owner              ProjectKeyOwner `json:"owner"`
}

// ProjectKeyOwner is the owner of a project key.
type ProjectKeyOwner struct {
	Type           string        `json:"type"`
	User           *ProjectOwner `json:"user"`
	ServiceAccount *ProjectOwner `json:"service_account"`
}

// ProjectOwner is a user or a service account; the latter has no email address.
type ProjectOwner struct {
	ID        string `json:"id"`
	Email     string `json:"email"`
	Name      string `json:"name"`
	CreatedAt int64  `json:"created_at"`
	Role      string `json:"role"`
}

// DeletedProjectKey is the response to a delete.
type DeletedProjectKey struct {
	Object  string `json:"object"`
	ID      string `json:"id"`
	Deleted bool   `json:"deleted"`
}

// ServiceAccount is a service account of a project.
type ServiceAccount struct {
	Object    string `json:"object"`
	ID        string `json:"id"`
	Name      string `json:"name"`
	Role      string `json:"role"`
	CreatedAt int64  `json:"created_at"`
}

// CreatedServiceAccount is a new service account with its key.
type CreatedServiceAccount struct {
	ServiceAccount
	APIKey *struct {
		Object    string `json:"object"`
		Value     string `json:"value"`
		Name      string `json:"name"`
		CreatedAt int64  `json:"created_at"`
		ID        string `json:"id"`
	} `json:"api_key"`
}

// Error is a non-2xx response.
type Error struct {
	Status    int
	RequestID string
	Type      string  `json:"type"`
	Code      *string `json:"code"`
	Param     *string `json:"param"`
	Message   string  `json:"message"`
}

func (e *Error) Error() string { return fmt.Sprintf("status %d: %s", e.Status, e.Message) }

// ListAdminKeys returns a page of admin keys.
func (c *Client) ListAdminKeys(ctx context.Context, after string, limit int) (*Page[AdminKey], error) {
	return send[Page[AdminKey]](ctx, c, http.MethodGet, "/organization/admin_api_keys"+pageQuery(after, limit), nil)
}

// AllAdminKeys iterates over all admin keys.
func (c *Client) AllAdminKeys(ctx context.Context) iter.Seq2[*AdminKey, error] {
	return func(yield func(*AdminKey, error) bool) {
		after := ""
		for {
			page, err := c.ListAdminKeys(ctx, after, 100)
			if err != nil {
				yield(nil, err)
				return
			}
			for i := range page.Data {
				if !yield(&page.Data[i], nil) {
					return
				}
			}
			if !page.HasMore || page.LastID == nil {
				return
			}
			after = *page.LastID
		}
	}
}

// CreateAdminKey creates an admin key. With a nil expiresInSeconds it never expires.
func (c *Client) CreateAdminKey(ctx context.Context, name string, expiresInSeconds *int) (*CreatedAdminKey, error) {
	return send[CreatedAdminKey](ctx, c, http.MethodPost, "/organization/admin_api_keys", struct {
		Name             string `json:"name"`
		ExpiresInSeconds *int   `json:"expires_in_seconds,omitempty"`
	}{name, expiresInSeconds})
}

// GetProjectKey returns a key of a project.
func (c *Client) GetProjectKey(ctx context.Context, projectID, keyID string) (*ProjectKey, error) {
	return send[ProjectKey](ctx, c, http.MethodGet, keyPath(projectID, keyID), nil)
}

// DeleteProjectKey revokes a key of a project.
func (c *Client) DeleteProjectKey(ctx context.Context, projectID, keyID string) (*DeletedProjectKey, error) {
	return send[DeletedProjectKey](ctx, c, http.MethodDelete, keyPath(projectID, keyID), nil)
}

// ListServiceAccounts returns a page of the service accounts of a project.
func (c *Client) ListServiceAccounts(ctx context.Context, projectID, after string, limit int) (*Page[ServiceAccount], error) {
	path := "/organization/projects/" + url.PathEscape(projectID) + "/service_accounts" + pageQuery(after, limit)
	return send[Page[ServiceAccount]](ctx, c, http.MethodGet, path, nil)
}

// CreateServiceAccount creates a service account with a key.
func (c *Client) CreateServiceAccount(ctx context.Context, projectID, name string) (*CreatedServiceAccount, error) {
	path := "/organization/projects/" + url.PathEscape(projectID) + "/service_accounts"
	return send[CreatedServiceAccount](ctx, c, http.MethodPost, path, struct {
		Name string `json:"name"`
	}{name})
}

func keyPath(projectID, keyID string) string {
	return "/organization/projects/" + url.PathEscape(projectID) + "/api_keys/" + url.PathEscape(keyID)
}

func pageQuery(after string, limit int) string {
	query := "?limit=" + strconv.Itoa(limit)
	if after != "" {
		query += "&after=" + url.QueryEscape(after)
	}
	return query
}

// send makes one request and decodes its response.
func send[T any](ctx context.Context, c *Client, method, path string, in any) (*T, error) {
	var body io.Reader
	if in != nil {
		encoded, err := json.Marshal(in)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(encoded)
	}
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, c.BaseURL+path, body)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+c.AdminKey)
	request.Header.Set("Accept", "application/json")
	if in != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := c.HTTP.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	// A connection is reused only if the body is read to its end.
	content, err := io.ReadAll(io.LimitReader(response.Body, maxBody))
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		var envelope struct {
			Error Error `json:"error"`
		}
		if err := json.Unmarshal(content, &envelope); err != nil {
			envelope.Error.Message = http.StatusText(response.StatusCode)
		}
		envelope.Error.Status = response.StatusCode
		envelope.Error.RequestID = response.Header.Get("X-Request-Id")
		return nil, &envelope.Error
	}
	out := new(T)
	if err := json.Unmarshal(content, out); err != nil {
		return nil, fmt.Errorf("%s %s: %w", method, path, err)
	}
	return out, nil
}
