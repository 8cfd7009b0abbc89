package main

import "testing"

func TestDevice(t *testing.T) {
	const webkit = " AppleWebKit/537.36 (KHTML, like Gecko) "
	for _, c := range []struct{ userAgent, name, kind string }{
		{"Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0", "Firefox on Linux", computer},
		{"Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:142.0) Gecko/20100101 Firefox/142.0", "Firefox on Windows", computer},
		{"Mozilla/5.0 (Android 15; Mobile; rv:142.0) Gecko/142.0 Firefox/142.0", "Firefox on Android", phone},
		{"Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) FxiOS/141.0 Mobile/15E148 Safari/605.1.15", "Firefox on iPhone", phone},
		{"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)" + webkit + "Chrome/140.0.0.0 Safari/537.36", "Chrome on macOS", computer},
		{"Mozilla/5.0 (X11; Linux x86_64)" + webkit + "HeadlessChrome/140.0.0.0 Safari/537.36", "Chrome on Linux", computer},
		{"Mozilla/5.0 (Linux; Android 10; K)" + webkit + "Chrome/140.0.0.0 Mobile Safari/537.36", "Chrome on Android", phone},
		{"Mozilla/5.0 (iPad; CPU OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/140.0.0.0 Mobile/15E148 Safari/604.1", "Chrome on iPad", phone},
		{"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0)" + webkit + "Chrome/140.0.0.0 Safari/537.36", "Chrome on ChromeOS", computer},
		{"Mozilla/5.0 (Windows NT 10.0; Win64; x64)" + webkit + "Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0", "Edge on Windows", computer},
		{"Mozilla/5.0 (Linux; Android 10; HD1913)" + webkit + "Chrome/140.0.0.0 Mobile Safari/537.36 EdgA/140.0.0.0", "Edge on Android", phone},
		{"Mozilla/5.0 (iPhone; CPU iPhone OS 17_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.0 EdgiOS/140.0.0.0 Mobile/15E148 Safari/604.1", "Edge on iPhone", phone},
		{"Mozilla/5.0 (Windows NT 10.0; Win64; x64)" + webkit + "Chrome/138.0.0.0 Safari/537.36 OPR/122.0.0.0", "Opera on Windows", computer},
		{"Mozilla/5.0 (Linux; Android 15; SM-S931B)" + webkit + "SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36", "Samsung Internet on Android", phone},
		{"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15", "Safari on macOS", computer},
		{"Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1", "Safari on iPhone", phone},
		{"Mozilla/5.0 (compatible; Konqueror/5.0; Linux)", "A browser on Linux", computer},
		{"Mozilla/5.0 (X11; FreeBSD amd64; rv:142.0) Gecko/20100101 Firefox/142.0", "Firefox", computer},
		{"curl/8.14.1", "curl", program},
		{"Go-http-client/1.1", "An unknown device", program},
		{"<b>Firefox</b>", "An unknown device", program},
		{"", "An unknown device", program},
	} {
		if name, kind := device(c.userAgent); name != c.name || kind != c.kind {
			t.Errorf("%q is %q (%s), want %q (%s)", c.userAgent, name, kind, c.name, c.kind)
		}
	}
}
