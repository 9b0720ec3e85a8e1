package template

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestConfig(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	tests := []struct {
		name     string
		file     string
		commands []string
		want     Config
	}{
		{
			name: "a command's section goes before global",
			file: `[local.global.parameters]
region = "eu-west-1"
template_file = "app.yaml"
parameter_overrides = "A=1"
[local.local_invoke.parameters]
parameter_overrides = "B=2"
[prod.global.parameters]
region = "us-east-1"
`,
			commands: []string{"local_invoke", "local_start_lambda"},
			want:     Config{Template: filepath.Join(dir, "app.yaml"), Region: "eu-west-1", Overrides: map[string]string{"B": "2"}},
		},
		{
			name: "another environment is another's",
			file: "[default.global.parameters]\nregion = \"us-east-1\"\n",
		},
		{
			name: "words in quotes and behind backslashes",
			file: "[local.global.parameters]\nparameter_overrides = '''A=\"two words\" B='it is' C=two\\ words D=\"say \\\"x\\\"\" E= F=a=b G=C:\\\\x ParameterKey=H,ParameterValue=\"h h\"'''\n",
			want: Config{Overrides: map[string]string{"A": "two words", "B": "it is", "C": "two words", "D": `say "x"`, "E": "", "F": "a=b", "G": `C:\\x`, "H": "h h"}},
		},
		{
			name: "a list",
			file: "[local.global.parameters]\nparameter_overrides = [\"A=1\", \"B='two words'\", [\"C=3 D=4\"]]\n",
			want: Config{Overrides: map[string]string{"A": "1", "B": "two words", "C": "3", "D": "4"}},
		},
		{
			name: "a table",
			file: "[local.global.parameters.parameter_overrides]\nA = 1\nB = true\nC = [\"x\", \" y\"]\n",
			want: Config{Overrides: map[string]string{"A": "1", "B": "true", "C": "x,y"}},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := readConfig("samconfig.toml", dir, []byte(tt.file), "local", tt.commands)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("config (-want +got):\n%s", diff)
			}
		})
	}
}

func TestConfigProblems(t *testing.T) {
	t.Parallel()
	section := "[local.global.parameters]\n"
	tests := []struct {
		name string
		file string
		want string
	}{
		{"not TOML", section + "region = \n", "samconfig.toml:2: not TOML: "},
		{"a number for a region", section + "region = 1\n", "samconfig.toml: [local.global.parameters] region must be a text"},
		{"a word alone", section + `parameter_overrides = "A=1 B"`, `samconfig.toml: [local.global.parameters] parameter_overrides: "B" must look like Name=value`},
		{"no name", section + `parameter_overrides = ["=1"]`, `parameter_overrides: "=1" must look like Name=value`},
		{"an open quote", section + `parameter_overrides = "A='1"`, `A='1: the quote ' is never closed`},
		{"a backslash last", section + `parameter_overrides = 'A=1\'`, `A=1\: ends with a backslash`},
		{"a file of parameters", section + `parameter_overrides = "file://p.yaml"`, "file://p.yaml: files are not read, write the parameters here"},
		{"a number", section + `parameter_overrides = 1`, "must be a text, a list or a table, not 1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := readConfig("samconfig.toml", t.TempDir(), []byte(tt.file), "local", nil)
			var found *Error
			if !errors.As(err, &found) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("readConfig = %v, want %q", err, tt.want)
			}
		})
	}
	if _, err := LoadConfig(filepath.Join(t.TempDir(), "samconfig.toml"), "local"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("LoadConfig of a missing file = %v, want fs.ErrNotExist", err)
	}
}

func FuzzReadConfig(f *testing.F) {
	ours, err := os.ReadFile("../../../samconfig.toml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(ours)
	f.Add([]byte("[local.global.parameters]\nparameter_overrides = ['A=\"b c\" D=\\ e', {F = [1]}]\n"))
	f.Add([]byte("local = 1\n[default]\nx = 1979-05-27\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		config, err := readConfig("samconfig.toml", "/", data, "local", []string{"local_invoke"})
		var found *Error
		if err != nil && (!errors.As(err, &found) || len(found.Problems) == 0) {
			t.Errorf("%q: %v is no *Error", data, err)
		}
		for name := range config.Overrides {
			if name == "" {
				t.Errorf("%q: a parameter without name", data)
			}
		}
	})
}
