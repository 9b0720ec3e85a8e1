package lambda

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
)

// FuzzReadErrorObject: whatever a runtime reports as its error, the caller of the function gets a JSON object.
func FuzzReadErrorObject(f *testing.F) {
	f.Add([]byte(`{"errorMessage":"m","errorType":"t","stackTrace":[]}`), "")
	f.Add([]byte(`null`), "Runtime.ExitError")
	f.Add([]byte("\xff"), "\n")
	f.Fuzz(func(t *testing.T, body []byte, kind string) {
		r := httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(body))
		r.Header["Lambda-Runtime-Function-Error-Type"] = []string{kind}
		got, err := readErrorObject(httptest.NewRecorder(), r)
		if err != nil {
			t.Fatal(err)
		}
		var object map[string]any
		if json.Unmarshal(got, &object) != nil || object == nil {
			t.Errorf("the caller gets %q", got)
		}
	})
}
