package headwater;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.lang.reflect.Array;
import java.nio.charset.StandardCharsets;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.table.api.EnvironmentSettings;
import org.apache.flink.table.api.TableEnvironment;
import org.apache.flink.table.api.TableResult;
import org.apache.flink.types.Row;
import org.apache.flink.util.CloseableIterator;

/** Evaluates one SQL expression per line of the input with stock Flink; one JSON object per line comes out. */
public final class Expressions {
    private static final Gson GSON =
            new GsonBuilder().disableHtmlEscaping().serializeNulls().serializeSpecialFloatingPointValues().create();

    public static void main(String[] args) throws Exception {
        String zone = args.length > 0 ? args[0] : "UTC";
        Configuration conf = new Configuration();
        conf.setString("parallelism.default", "1");
        TableEnvironment env =
                TableEnvironment.create(EnvironmentSettings.newInstance().inBatchMode().withConfiguration(conf).build());
        env.getConfig().setLocalTimeZone(ZoneId.of(zone));
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        java.io.PrintStream out = new java.io.PrintStream(System.out, true, "UTF-8");
        int size = args.length > 1 ? Integer.parseInt(args[1]) : 30;
        List<String> pending = new ArrayList<>();
        for (String line; (line = in.readLine()) != null; ) {
            if (line.isBlank() || line.startsWith("#")) continue;
            pending.add(line);
            if (pending.size() == size) {
                run(env, pending, out);
                pending.clear();
            }
        }
        run(env, pending, out);
        System.exit(0);
    }

    /** All in one query; when that fails, in halves. */
    private static void run(TableEnvironment env, List<String> expressions, java.io.PrintStream out) {
        if (expressions.isEmpty()) return;
        try {
            TableResult result = env.executeSql("SELECT " + String.join(", ", expressions));
            List<JsonObject> replies = new ArrayList<>();
            for (int i = 0; i < expressions.size(); i++) {
                JsonObject reply = new JsonObject();
                reply.addProperty("expr", expressions.get(i));
                reply.addProperty("type", result.getResolvedSchema().getColumnDataTypes().get(i).toString());
                replies.add(reply);
            }
            try (CloseableIterator<Row> rows = result.collect()) {
                Row row = rows.next();
                for (int i = 0; i < expressions.size(); i++) replies.get(i).add("result", json(row.getField(i)));
            }
            for (JsonObject reply : replies) out.println(GSON.toJson(reply));
        } catch (Throwable e) {
            if (expressions.size() > 1) {
                int middle = expressions.size() / 2;
                run(env, new ArrayList<>(expressions.subList(0, middle)), out);
                run(env, new ArrayList<>(expressions.subList(middle, expressions.size())), out);
                return;
            }
            StringBuilder text = new StringBuilder();
            for (Throwable t = e; t != null; t = t.getCause()) {
                if (text.length() > 0) text.append(" <- ");
                String m = String.valueOf(t.getMessage()).replace('\n', ' ');
                text.append(t.getClass().getSimpleName()).append(": ").append(m, 0, Math.min(m.length(), 200));
            }
            JsonObject reply = new JsonObject();
            reply.addProperty("expr", expressions.get(0));
            reply.addProperty("error", text.toString());
            out.println(GSON.toJson(reply));
        }
    }

    private static JsonElement json(Object value) {
        if (value == null) return JsonNull.INSTANCE;
        if (value instanceof Boolean b) return new JsonPrimitive(b);
        if (value instanceof Number n) return new JsonPrimitive(n);
        if (value instanceof byte[] bytes) {
            StringBuilder hex = new StringBuilder("0x");
            for (byte b : bytes) hex.append(String.format("%02x", b));
            return new JsonPrimitive(hex.toString());
        }
        if (value.getClass().isArray()) {
            JsonArray array = new JsonArray();
            for (int i = 0; i < Array.getLength(value); i++) array.add(json(Array.get(value, i)));
            return array;
        }
        if (value instanceof List<?> list) {
            JsonArray array = new JsonArray();
            for (Object o : list) array.add(json(o));
            return array;
        }
        return new JsonPrimitive(value.toString());
    }
}
