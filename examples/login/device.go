package main

import (
	"cmp"
	"strings"
)

// A kind of device has a picture of its own.
const (
	computer = "computer"
	phone    = "phone"
	program  = "program"
)

// What user agents say of themselves, the more telling first: nearly all of them
// claim to be Safari too, Edge and Opera claim to be Chrome, Android to be Linux,
// and an iPhone to be like Mac OS X. An iPad asks for desktop pages, and calls
// itself a Macintosh then.
var (
	browsers = []struct{ token, name string }{
		{"Edg/", "Edge"}, {"EdgA/", "Edge"}, {"EdgiOS/", "Edge"},
		{"OPR/", "Opera"}, {"OPT/", "Opera"}, {"Opera", "Opera"},
		{"SamsungBrowser/", "Samsung Internet"},
		{"Firefox/", "Firefox"}, {"FxiOS/", "Firefox"},
		{"Chrome/", "Chrome"}, {"CriOS/", "Chrome"},
		{"Safari/", "Safari"},
	}
	systems = []struct{ token, name, kind string }{
		{"iPhone", "iPhone", phone},
		{"iPad", "iPad", phone},
		{"Android", "Android", phone},
		{"Windows", "Windows", computer},
		{"Macintosh", "macOS", computer},
		{"CrOS", "ChromeOS", computer},
		{"Linux", "Linux", computer},
	}
)

// device returns what a user would call the device that sent this User-Agent. It
// is a help to recognise it, and no proof: anything can be sent.
func device(userAgent string) (name, kind string) {
	browser, system := "", ""
	for _, b := range browsers {
		if strings.Contains(userAgent, b.token) {
			browser = b.name
			break
		}
	}
	for _, s := range systems {
		if strings.Contains(userAgent, s.token) {
			system, kind = s.name, s.kind
			break
		}
	}
	switch {
	case system != "":
		return cmp.Or(browser, "A browser") + " on " + system, kind
	case browser != "":
		return browser, computer
	case strings.HasPrefix(userAgent, "curl/"):
		return "curl", program
	}
	return "An unknown device", program
}
