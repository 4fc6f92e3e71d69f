package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/orgkeys/orgkeys-go/examples/internal/progress"
	orgkeys "github.com/orgkeys/orgkeys-go/wrapper"
)

// status is what became of a key.
type status string

const (
	gone     status = "gone"
	found    status = "found"
	refused  status = "refused"
	notFound status = "not found"
	unknown  status = "unknown"
	untried  status = "not tried"
)

// result is what became of a key, with a note for a person.
type result struct {
	key
	status status
	note   string
}

// all does what is to be done for each key, several at a time, and returns the results in the
// order of the keys. Where ctx ends, or with it the use of going on, no other key is begun.
func all(ctx context.Context, keys []key, done map[key]bool, workers int, meter *progress.Meter,
	do func(context.Context, key) (result, error)) []result {
	results := make([]result, len(keys))
	var pending []int
	for i, k := range keys {
		if done[k] {
			results[i] = result{k, gone, "by an earlier run"}
			continue
		}
		results[i] = result{k, untried, "run again"}
		pending = append(pending, i)
	}
	meter.Start(len(pending), "keys worked on")
	defer meter.Stop()
	begin, end := context.WithCancel(ctx)
	defer end()
	next := make(chan int)
	var group sync.WaitGroup
	for range min(workers, len(pending)) {
		group.Go(func() {
			for i := range next {
				if begin.Err() != nil {
					continue
				}
				var err error
				if results[i], err = do(ctx, keys[i]); errors.Is(err, orgkeys.ErrUnauthorized) {
					end() // no other key would fare better
				}
				meter.Step()
			}
		})
	}
	for _, i := range pending {
		next <- i
	}
	close(next)
	group.Wait()
	return results
}

// worker does the work for one key at a time. Beside a result it returns the error, if any,
// that led to it.
type worker struct{ client *orgkeys.Client }

// revoke revokes the key. Delete has tried again where that is safe, so what it leaves unknown
// is for another run.
func (w worker) revoke(ctx context.Context, k key) (result, error) {
	_, err := w.client.ProjectKeys.Delete(ctx, k.project, k.id)
	switch {
	case err == nil:
		return result{k, gone, ""}, nil
	case errors.Is(err, orgkeys.ErrBadRequest):
		return result{k, refused, w.whyRefused(ctx, k, err)}, err
	}
	return failure(k, err), err
}

// look says what and whose the key is.
func (w worker) look(ctx context.Context, k key) (result, error) {
	it, err := w.client.ProjectKeys.Get(ctx, k.project, k.id)
	if err != nil {
		return failure(k, err), err
	}
	used := "never used"
	if at, ok := it.LastUsedAt.Time(); ok {
		used = "last used " + at.Format(time.DateOnly)
	}
	return result{k, found, fmt.Sprintf("%q of %s, %s", it.Name, owner(it), used)}, nil
}

// whyRefused names the service account that a refused key goes with.
func (w worker) whyRefused(ctx context.Context, k key, err error) string {
	it, getErr := w.client.ProjectKeys.Get(ctx, k.project, k.id)
	if getErr != nil || it.Owner.ServiceAccount == nil {
		return err.Error()
	}
	return "goes with its account: delete " + owner(it)
}

// failure is the result of a call that failed.
func failure(k key, err error) result {
	switch {
	case errors.Is(err, orgkeys.ErrNotFound):
		return result{k, notFound, "gone before, or one of the ids is wrong"}
	case errors.Is(err, orgkeys.ErrUnauthorized), errors.Is(err, orgkeys.ErrForbidden):
		return result{k, refused, err.Error()}
	}
	return result{k, unknown, err.Error()}
}

// owner quotes names, which are what people make of them.
func owner(it *orgkeys.ProjectKey) string {
	switch o := it.Owner; {
	case o.ServiceAccount != nil:
		return fmt.Sprintf("service account %s (%q)", o.ServiceAccount.ID, o.ServiceAccount.Name)
	case o.User != nil:
		return fmt.Sprintf("user %s (%q)", o.User.ID, o.User.Name)
	}
	return "an owner that is not told"
}
