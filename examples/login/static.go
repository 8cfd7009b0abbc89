package main

import (
	"crypto/sha256"
	"embed"
	"fmt"
	"net/http"
)

//go:embed static
var static embed.FS

const staticPath = "/static/"

// staticURL returns the URL of a file in static. It changes with the file, so
// that browsers can keep what is under it.
func staticURL(file string) (string, error) {
	content, err := static.ReadFile("static/" + file)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s%s?%.6x", staticPath, file, sha256.Sum256(content)), nil
}

func serveStatic(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	http.ServeFileFS(w, r, static, "static/"+r.PathValue("file"))
}
