package redisstore

// ReplyCode returns what kind of error a server has replied.
var ReplyCode = replyCode
