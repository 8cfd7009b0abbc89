package main

import "golang.org/x/crypto/bcrypt"

// users are those of the demo, and their passwords as bcrypt hashes. The names
// are also the ids, since nobody here ever takes another name.
var users = map[string]string{
	"alice": "$2a$10$j8FDhmJ1VGmXUjO5EC7rVO5x/HtAG0lEbvclIKrrOGFiEY/3e8ONK",
	"bob":   "$2a$10$xr8LljCc5MAIoB5cCPLJ6uBvFAxNpY/trx1uz4wpVQGC2Hrej4e5S",
}

// nobody is the hash that the password of an unknown user is compared with, so
// that the time of an answer does not tell who is a user.
const nobody = "$2a$10$W3MfIpxWHpjM/Ywd9CJCAOuBdAoPJPP.hH3MpCauAtJXKZTdDNyGG"

func authentic(user, password string) bool {
	hash, known := users[user]
	if !known {
		hash = nobody
	}
	err := bcrypt.CompareHashAndPassword([]byte(hash), []byte(password))
	return err == nil && known
}
