// Package orgkeystest is a fake of the API, for tests and for trying things out.
package orgkeystest
