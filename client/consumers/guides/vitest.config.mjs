export default { test: { environment: 'jsdom', globals: true, include: ['{test,out}/**/*.test.{ts,tsx}'] } };
