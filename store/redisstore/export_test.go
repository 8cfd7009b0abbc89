package redisstore

// What is made of a server's reply.
var (
	ReplyCode    = replyCode
	Refused      = refused
	MayHaveMoved = mayHaveMoved
)
