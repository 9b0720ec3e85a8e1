package fault_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/purposepath/realtime/local/internal/fault"
)

// FuzzServeHTTP: what is taken for a fault can strike, and holds nothing up longer than ten minutes.
func FuzzServeHTTP(f *testing.F) {
	f.Add(`{"target":"table","match":"TransactWriteItems","answer":"conflict","times":3}`)
	f.Add(`{"target":"queue","delayMs":600001}`)
	f.Add(`{"target":"function","answer":"kill","times":-1,"struck":5}`)
	f.Add(`{} {}`)
	f.Fuzz(func(t *testing.T, body string) {
		var faults fault.Faults
		w := httptest.NewRecorder()
		faults.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/_local/faults", strings.NewReader(body)))
		taken := faults.List()
		switch w.Code {
		case http.StatusCreated:
			if len(taken) != 1 || taken[0].Answer == "" && taken[0].DelayMs == 0 || time.Duration(taken[0].DelayMs)*time.Millisecond > 10*time.Minute {
				t.Errorf("taken: %+v", taken)
			}
		case http.StatusBadRequest:
			if len(taken) != 0 {
				t.Errorf("refused, and taken all the same: %+v", taken)
			}
		default:
			t.Errorf("answered %d", w.Code)
		}
	})
}
