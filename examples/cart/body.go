package main

import (
	"bytes"
	"errors"
	"io"
	"net/http"
)

// maxBody bounds the body of a request: forms are small.
const maxBody = 64 << 10

// bounded answers 413 to a body of more than maxBody, however it is sent. It
// reads the body before a session is loaded, so that what a slow sender changes
// is not an old copy of it.
func bounded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			answer(w, r, http.StatusRequestEntityTooLarge, "That is too much.")
			return
		}
		if err != nil {
			answer(w, r, http.StatusBadRequest, "The request did not arrive whole.")
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		next.ServeHTTP(w, r)
	})
}

// parseForm parses the form of r, or refuses it and returns false.
func parseForm(w http.ResponseWriter, r *http.Request) bool {
	if err := r.ParseForm(); err != nil {
		refuse(w, r, http.StatusBadRequest, "That form can't be read.")
		return false
	}
	return true
}
