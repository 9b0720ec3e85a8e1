import webpack from 'webpack';

webpack({ mode: 'production', context: import.meta.dirname, entry: './out/esm/main.js', output: { path: import.meta.dirname + '/out/webpack', filename: 'main.js' } }, (error, stats) => {
  if (error) throw error;
  console.log(stats.toString('errors-warnings'));
  process.exitCode = stats.hasErrors() || stats.hasWarnings() ? 1 : 0;
});
