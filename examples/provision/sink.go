package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	orgkeys "github.com/orgkeys/orgkeys-go/wrapper"
)

// A sink keeps secrets. A secret store goes in here: a cloud's secret manager, Vault,
// Kubernetes. Let Reserve do all that can fail, such as a write to the very place with a value
// that is none, so that nothing is minted that can't be kept.
type sink interface {
	// Holds reports whether there is a secret of the environment.
	Holds(ctx context.Context, environment string) (bool, error)
	// Reserve makes room for a secret. It fails where there is one, or where another run has
	// made room.
	Reserve(ctx context.Context, environment string) (place, error)
}

// A place is room for one secret. It is used once.
type place interface {
	Keep(ctx context.Context, secret orgkeys.Secret) error
	Release(ctx context.Context) error
}

// directory is a sink of files that only their owner can read. os.Root keeps them in it.
type directory struct{ root *os.Root }

func openDirectory(path string) (*directory, error) {
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, fmt.Errorf("the directory of the secrets: %w", err)
	}
	return &directory{root}, nil
}

func (d *directory) Close() { _ = d.root.Close() }

func (d *directory) Holds(_ context.Context, environment string) (bool, error) {
	_, err := d.root.Lstat(environment + ".key")
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// room is more than a key's value takes.
const room = 4096

// Reserve makes the file under another name and fills it, so that a full disk is found out now.
func (d *directory) Reserve(ctx context.Context, environment string) (place, error) {
	f := &file{root: d.root, name: environment + ".key", draft: environment + ".key.new"}
	var err error
	f.File, err = d.root.OpenFile(f.draft, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("%s is there: another run is at work, or one broke off and may have made an account; "+
			"find out which, then remove the file", f.draft)
	}
	if err != nil {
		return nil, err
	}
	// The draft keeps other runs out, so what is not here now will not come.
	held, err := d.Holds(ctx, environment)
	if held {
		err = fmt.Errorf("%s is there already", f.name)
	}
	if err == nil {
		_, err = f.Write(make([]byte, room))
	}
	if err == nil {
		err = f.Sync()
	}
	if err != nil {
		return nil, errors.Join(err, f.Release(ctx))
	}
	return f, nil
}

type file struct {
	*os.File
	root        *os.Root
	name, draft string
}

// Keep leaves the draft where it fails, since it may hold the only copy.
func (f *file) Keep(_ context.Context, secret orgkeys.Secret) error {
	value := []byte(secret.Reveal())
	_, err := f.WriteAt(value, 0)
	if err == nil {
		err = f.Truncate(int64(len(value)))
	}
	if err == nil {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	return f.root.Rename(f.draft, f.name)
}

func (f *file) Release(context.Context) error {
	return errors.Join(f.Close(), f.root.Remove(f.draft))
}
