package redisstore

import (
	"maps"
	"slices"
)

// What is made of a server's reply.
var (
	ReplyCode    = replyCode
	Refused      = refused
	MayHaveMoved = mayHaveMoved
)

// Parameters returns the names of a URL's parameters.
func Parameters() []string { return slices.Sorted(maps.Keys(parameters)) }
