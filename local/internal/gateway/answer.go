package gateway

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"
)

// identify sets the headers by which AWS identifies a request, in its spelling.
func identify(h http.Header) {
	h["x-amzn-RequestId"] = []string{newUUID()}
	h["x-amz-apigw-id"] = []string{newID(requestMark)}
	h["x-amzn-trace-id"] = []string{newTraceID(time.Now())}
}

// refuse answers an HTTP request with AWS's error type, which SDKs turn into an error of their own, and a message.
// 410 has no body.
func refuse(w http.ResponseWriter, status int, kind, message string) {
	identify(w.Header())
	w.Header().Set("Content-Type", "application/json")
	if kind != "" {
		w.Header()["x-amzn-ErrorType"] = []string{kind}
	}
	var body []byte
	if status != http.StatusGone {
		body, _ = json.Marshal(map[string]string{"message": message}) // strings always encode
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// errorType is AWS's name for the status of a refused upgrade, "" where there is none.
func errorType(status int) string {
	switch status {
	case http.StatusBadRequest:
		return "BadRequestException"
	case http.StatusUnauthorized:
		return "UnauthorizedException"
	case http.StatusForbidden:
		return "ForbiddenException"
	case http.StatusTooManyRequests:
		return "TooManyRequestsException"
	case http.StatusInternalServerError, http.StatusBadGateway, http.StatusGatewayTimeout:
		return "InternalServerErrorException"
	}
	return ""
}
