package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/orgkeys/orgkeys-go/examples/internal/progress"
	orgkeys "github.com/orgkeys/orgkeys-go/wrapper"
)

// status is what became of an environment.
type status string

const (
	created  status = "created"
	exists   status = "exists"
	missing  status = "missing"
	keyless  status = "no secret"
	orphaned status = "orphaned"
	notFound status = "not found"
	unknown  status = "unknown"
	lost     status = "lost"
	failed   status = "failed"
	untried  status = "not tried"
)

func (s status) isWell() bool { return s == created || s == exists || s == missing }

// advice is what a person has to do about it. None of the operations deletes an account, so
// that is done in the dashboard.
func (s status) advice() string {
	switch s {
	case missing:
		return "run again with -create"
	case keyless:
		return "its key was not kept: delete the account, then run again"
	case orphaned:
		return "likely made by this run, its key is lost: delete the account, then run again"
	case notFound:
		return "nothing was made, as far as the API shows: run again"
	case unknown:
		return "look for an account of that name and delete it, then run again"
	case lost:
		return "made, its key could not be kept: delete the account, then run again"
	case failed:
		return "nothing was made: see the error"
	case untried:
		return "run again"
	}
	return ""
}

// outcome is what became of an environment, and the ids of the accounts that it has.
type outcome struct {
	environment string
	status      status
	accounts    []string
}

type provisioner struct {
	client  *orgkeys.Client
	project string
	secrets sink
	create  bool
	meter   *progress.Meter
}

// all brings each environment as far as it can. An error means that nothing was begun.
func (p *provisioner) all(ctx context.Context, environments []string) ([]outcome, error) {
	// All is whole or an error, so a name that is not in it has no account.
	accounts := make(map[string][]string)
	for account, err := range p.client.ServiceAccounts.All(ctx, p.project, orgkeys.ServiceAccountListParams{}) {
		if err != nil {
			return nil, err
		}
		accounts[account.Name] = append(accounts[account.Name], account.ID)
	}
	p.meter.Start(len(environments), "environments looked after")
	defer p.meter.Stop()
	outcomes := make([]outcome, len(environments))
	for i, environment := range environments {
		o := &outcomes[i]
		o.environment, o.accounts = environment, accounts[environment]
		if ctx.Err() != nil {
			o.status = untried
			continue
		}
		if err := p.one(ctx, o); err != nil {
			fmt.Fprintf(p.meter, "%s: %v\n", environment, err)
		}
		p.meter.Step()
	}
	return outcomes, nil
}

// one sets the outcome of an environment. Its error explains an outcome that is not well.
func (p *provisioner) one(ctx context.Context, o *outcome) error {
	held, err := p.secrets.Holds(ctx, o.environment)
	switch {
	case err != nil:
		o.status = failed
		return err
	case len(o.accounts) > 0 && held:
		o.status = exists
		return nil
	case len(o.accounts) > 0:
		o.status = keyless
		return nil
	case held:
		o.status = failed
		return errors.New("there is a secret, but no account of that name: remove it if it is no longer used")
	case !p.create:
		o.status = missing
		return nil
	}

	// What can fail is done before there is a key to lose.
	place, err := p.secrets.Reserve(ctx, o.environment)
	if err != nil {
		o.status = failed
		return err
	}
	made, err := p.client.ServiceAccounts.Create(ctx, p.project, orgkeys.ServiceAccountCreateParams{Name: o.environment})

	// From here on a Ctrl-C must not part an account from its secret or its report.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Minute)
	defer cancel()
	if err != nil {
		return errors.Join(err, p.recover(ctx, o, err), place.Release(ctx))
	}
	o.accounts = []string{made.ID}
	if err := place.Keep(ctx, made.APIKey.Value); err != nil {
		o.status = lost
		return err
	}
	o.status = created
	return nil
}

// recover finds out what a create that failed has made.
func (p *provisioner) recover(ctx context.Context, o *outcome, err error) error {
	unclear, ok := errors.AsType[*orgkeys.UnknownOutcomeError](err)
	if !ok {
		o.status = failed // any other error means that nothing was made
		return nil
	}
	fmt.Fprintf(p.meter, "%s: the answer was lost; looking for what was made\n", o.environment)
	found, err := p.client.ServiceAccounts.FindCreated(ctx, unclear)
	switch {
	case err != nil:
		o.status = unknown
		return fmt.Errorf("looking for what was made: %w", err)
	case len(found) == 0:
		o.status = notFound
		return nil
	}
	o.status = orphaned
	for _, account := range found {
		o.accounts = append(o.accounts, account.ID)
	}
	return nil
}
