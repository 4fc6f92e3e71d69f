// Package speccheck tells whether what an API sends is what its contract says.
package speccheck
