package memstore

import "fmt"

// Option changes what [New] makes.
type Option func(*options)

type options struct {
	maxRecords int
}

func defaults() options {
	return options{maxRecords: 1_000_000}
}

// MaxRecords bounds how many records the store holds at once, expired ones that
// have not left yet included; the package documentation says what happens to one
// more. The default is 1,000,000. It panics if n is not
// positive.
//
// Entries of the index are bounded to twice as many.
func MaxRecords(n int) Option {
	if n <= 0 {
		panic(fmt.Sprintf("memstore: MaxRecords(%d): a store needs room for one record at least", n))
	}
	return func(o *options) { o.maxRecords = n }
}
