// npm install <the package that client_sdk_spec/web builds>
import { start } from "firsthop-web";

start({ url: "{{edge}}", key: "{{key}}", service: "{{app}}", version: "1.0.0" });
