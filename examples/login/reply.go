package main

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"strings"

	"github.com/gosatchel/satchel/flash"
)

// refuse says what is wrong, to a browser on the page at back.
func refuse(w http.ResponseWriter, r *http.Request, status int, text, back string) {
	if wantsJSON(r) {
		sendJSON(w, status, map[string]string{"error": text})
		return
	}
	flash.Error(r.Context(), text)
	http.Redirect(w, r, back, http.StatusSeeOther)
}

// answer says what is wrong right away.
func answer(w http.ResponseWriter, r *http.Request, status int, text string) {
	if wantsJSON(r) {
		sendJSON(w, status, map[string]string{"error": text})
		return
	}
	http.Error(w, text, status)
}

func wantsJSON(r *http.Request) bool {
	return strings.Contains(r.Header.Get("Accept"), "application/json")
}

func sendJSON(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		fail(w, err)
		return
	}
	send(w, status, "application/json", append(body, '\n'))
}

func send(w http.ResponseWriter, status int, contentType string, body []byte) {
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store") // nobody's cart behind the back button of a shared computer
	h.Add("Vary", "Accept")
	w.WriteHeader(status)
	if _, err := w.Write(body); err != nil {
		slog.Info("a response was not sent", "error", err)
	}
}

func fail(w http.ResponseWriter, err error) {
	slog.Error("a response could not be made", "error", err)
	http.Error(w, "Something went wrong.", http.StatusInternalServerError)
}
