package table

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
)

// EndpointFlag is the stack's flag that names a DynamoDB endpoint of the user's own. Errors name it as the way out where
// there is no engine.
const EndpointFlag = "dynamodb-endpoint"

const engineVersion = "1.2.1"

// Find returns the path of the engine's binary for this operating system and processor: from the packages installed in
// engineDir, else from the user's cache folder. Its error is one line that says how to install it.
func Find(engineDir string) (string, error) {
	cache := engineDir
	if dir, err := os.UserCacheDir(); err == nil {
		cache = filepath.Join(dir, "rtlocal")
	}
	return find(engineDir, cache, runtime.GOOS, runtime.GOARCH)
}

func find(engineDir, cacheDir, goos, goarch string) (string, error) {
	arch := goarch
	if arch == "amd64" {
		arch = "x64" // Node's name
	}
	name := fmt.Sprintf("@dynoxide/%s-%s", goos, arch)
	for _, dir := range []string{engineDir, cacheDir} {
		binary := filepath.Join(dir, "node_modules", filepath.FromSlash(name), "dynoxide")
		if info, err := os.Stat(binary); err == nil && info.Mode().IsRegular() {
			return filepath.Abs(binary)
		}
	}
	// package.json lists this one package alone: no registry is known to serve the others under the same name.
	install := fmt.Sprintf("npm ci --prefix %s", engineDir)
	if name != "@dynoxide/linux-x64" {
		install = fmt.Sprintf("npm install --no-save --prefix %s %s@%s", cacheDir, name, engineVersion)
	}
	return "", fmt.Errorf("the embedded DynamoDB is not installed: run `%s`, or name a DynamoDB endpoint of your own with --%s URL",
		install, EndpointFlag)
}
