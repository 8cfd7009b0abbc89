package main

import (
	"maps"
	"os"
	"testing"

	"golang.org/x/crypto/bcrypt"
)

// shipped are the users as the program has them. The other tests sign in so often
// that at this cost they would do little else.
var shipped = maps.Clone(users)

var passwords = map[string]string{"alice": "wonderland", "bob": "builder"}

func TestMain(m *testing.M) {
	for user, password := range passwords {
		hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
		if err != nil {
			panic(err)
		}
		users[user] = string(hash)
	}
	os.Exit(m.Run())
}

func TestUsers_HaveTheirPasswords(t *testing.T) {
	for user, hash := range shipped {
		if err := bcrypt.CompareHashAndPassword([]byte(hash), []byte(passwords[user])); err != nil {
			t.Errorf("%s: %v", user, err)
		}
	}
}

// TestUsers_AllTakeTheSame compares costs instead of times, which are the same
// where these are.
func TestUsers_AllTakeTheSame(t *testing.T) {
	for _, hash := range []string{shipped["alice"], shipped["bob"], nobody} {
		if cost, err := bcrypt.Cost([]byte(hash)); err != nil || cost != bcrypt.DefaultCost {
			t.Errorf("a hash has cost %d (%v), want %d", cost, err, bcrypt.DefaultCost)
		}
	}
	if authentic("", "nobody's password") || authentic("mallory", "nobody's password") {
		t.Error("an unknown user can sign in")
	}
}
