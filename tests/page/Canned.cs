using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace Sdxl.Tests.Page;

/// <summary>Answers of the API as its contract says, for every stage of a training and what hangs on it.</summary>
public static class Canned
{
    public const string TrainingId = "tr1abcdefghijklmnopqrstuvw";
    public const string CheckId = "ch1abcdefghijklmnopqrstuvw";
    public const string Version = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    public const string OtherVersion = "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210";

    /// <summary>What strangers put into names and captions.</summary>
    public const string Hostile = "<img src=x onerror=\"alert(1)\"> \u202Etxet desrever\u202C {{7*7}} ${7*7}";

    public static void Into(FakeApi api)
    {
        api.On("GET", "/v1/account", new JsonObject { ["type"] = "user", ["username"] = "me" });
        api.On(
            "GET",
            "/v1/account/storage",
            new JsonObject
            {
                ["bytes"] = 1_234_567_890,
                ["kinds"] = new JsonObject
                {
                    ["datasets"] = 234_567_890,
                    ["jobs"] = 0,
                    ["models"] = 1_000_000_000,
                },
            }
        );
        var training = Schema(
            ("max_train_steps", "integer", 1000, "Training steps in all; 1000 suits 5 to 20 pictures.", "training"),
            ("lora_rank", "integer", 32, "Rank of the LoRA: its capacity and file size.", "network"),
            ("lora_lr", "number", 1e-4, "Learning rate of the LoRA matrices.", "training"),
            ("lora_targets", "string", "attention", "Layers that get a LoRA.", "network"),
            ("caption_prefix", "string", "a photo of TOK", "Put in front of automatic captions.", "captions"),
            ("crop_based_on_salience", "boolean", true, "Crop to the square around what matters.", "pictures"),
            ("seed", "integer", null, "Same seed, same weights.", "training"),
            ("keep_checkpoints", "boolean", false, "Keep the weights with every row of sample pictures.", "run"),
            ("held_out_pictures", "integer", 0, "Pictures that are not trained on but measured by.", "run")
        );
        training["properties"]!["keep_checkpoints"]!["x-bytes-per-rank"] = new JsonObject { ["attention"] = 3 * 5_806_080 };
        api.On("GET", "/v1/schema/training", training);
        api.On("GET", "/v1/schema/prediction", PredictionSchema());
        api.On("GET", "/v1/trainings", Page());
        api.On("GET", "/v1/models", Page(Model()));
        api.On("GET", "/v1/models/me/cat", Model());
        api.On("GET", "/v1/models/me/cat/versions", Page(VersionOf()));
        api.On("GET", $"/v1/models/me/cat/versions/{Version}", VersionOf(withFiles: true));
        api.On("GET", "/v1/version-manifest", Manifest());
        api.On("GET", "/v1/predictions", Page());
        api.On(
            "GET",
            "/v1/tokens",
            Page(
                new JsonObject
                {
                    ["id"] = "t1",
                    ["name"] = "laptop",
                    ["created_at"] = "2026-11-01T10:00:00Z",
                    ["expires_at"] = null,
                }
            )
        );
        api.On(
            "GET",
            "/v1/subscriptions",
            Page(
                new JsonObject
                {
                    ["id"] = "s1",
                    ["url"] = "https://example.org/hook",
                    ["types"] = new JsonArray("training.completed"),
                }
            )
        );
        api.On("GET", "/v1/webhooks/default/secret", new JsonObject { ["key"] = "whsec_c2VjcmV0IG9mIHRlc3Rz" });
        api.On(
            "POST",
            "/v1/files",
            new JsonObject
            {
                ["id"] = "f1",
                ["urls"] = new JsonObject { ["get"] = "/v1/files/f1" },
            },
            201
        );
        api.On("GET", "/v1/files/f1/download", FakeApi.PictureAsync);
        api.On("POST", "/v1/session", new JsonObject { ["username"] = "me" }, 201);
        api.On("DELETE", "/v1/session", Status(204));
        api.On("POST", "/v1/checks", new JsonObject { ["id"] = CheckId, ["status"] = "starting" }, 201);
        api.On("GET", $"/v1/checks/{CheckId}", Check("succeeded", "done"));
        api.On("GET", $"/v1/checks/{CheckId}/report", Report(12, 12));
        api.On("POST", $"/v1/checks/{CheckId}/cancel", new JsonObject { ["id"] = CheckId, ["status"] = "canceled" });
        api.On("POST", "/v1/trainings", Training("queued", "starting"), 201);
        Put(api, Training("train", "processing", 340));
    }

    public static Func<HttpContext, Task> Status(int status) =>
        http =>
        {
            http.Response.StatusCode = status;
            return Task.CompletedTask;
        };

    /// <summary>Sets the training and all that belongs to it.</summary>
    public static void Put(FakeApi api, JsonObject training)
    {
        var step = training["progress"]?["step"]?.GetValue<int>() ?? 0;
        var isMeasured = training["input"]!["held_out_pictures"] is not null;
        api.On("GET", $"/v1/trainings/{TrainingId}", training);
        api.On("GET", $"/v1/trainings/{TrainingId}/report", Report(12, 12));
        api.On(
            "GET",
            $"/v1/trainings/{TrainingId}/metrics",
            http =>
            {
                var after = int.Parse(
                    http.Request.Query["after"].FirstOrDefault() ?? "0",
                    System.Globalization.CultureInfo.InvariantCulture
                );
                return FakeApi.JsonAsync(http, Metrics(after, step, isMeasured));
            }
        );
        api.On("GET", $"/v1/trainings/{TrainingId}/samples", Samples(step));
        api.On("GET", $"/v1/trainings/{TrainingId}/checkpoints", Checkpoints(step, isMeasured && training["held_out"] is not null));
        api.On(
            "GET",
            $"/v1/trainings/{TrainingId}/logs",
            http => http.Response.WriteAsync("unpacking pictures.zip\n 34%|###   | 340/1000 [00:10<00:20, 30 it/s]\nwarning: something\n")
        );
        api.On(
            "GET",
            $"/v1/trainings/{TrainingId}/events",
            http =>
            {
                http.Response.ContentType = "text/event-stream";
                return EventsAsync(http);
            }
        );
        api.On("POST", $"/v1/trainings/{TrainingId}/stop", training.DeepClone());
        api.On("POST", $"/v1/trainings/{TrainingId}/sample", training.DeepClone());
        var published = VersionOf(withFiles: true);
        (published["id"], published["step"]) = (OtherVersion, 400);
        api.On("POST", $"/v1/trainings/{TrainingId}/checkpoints/400", published, 201);
        api.On("GET", $"/v1/models/me/cat/versions/{OtherVersion}", published.DeepClone());
        api.On("POST", $"/v1/trainings/{TrainingId}/cancel", training.DeepClone());
        api.On("DELETE", $"/v1/trainings/{TrainingId}", Status(204));
    }

    private static async Task EventsAsync(HttpContext http)
    {
        await http.Response.WriteAsync("retry: 1000\n\n: hello\n\n");
        await http.Response.Body.FlushAsync();
        var gone = new TaskCompletionSource();
        await using var registration = http.RequestAborted.Register(gone.SetResult);
        await gone.Task;
    }

    /// <summary>What is measured after every 200 steps.</summary>
    private static readonly double[] s_heldOut = [0.0823, 0.0711, 0.0719, 0.0752, 0.0796];

    public static JsonObject Page(params JsonNode[] results) =>
        new()
        {
            ["previous"] = null,
            ["next"] = null,
            ["results"] = new JsonArray(results),
        };

    public static JsonObject Training(string stage, string status, int step = 0, string? error = null)
    {
        var urls = new JsonObject { ["get"] = $"/v1/trainings/{TrainingId}", ["web"] = $"/trainings/{TrainingId}" };
        foreach (var more in new[] { "cancel", "stop", "sample", "report", "metrics", "samples", "checkpoints", "events", "logs" })
            urls[more] = $"/v1/trainings/{TrainingId}/{more}";
        return new JsonObject
        {
            ["id"] = TrainingId,
            ["model"] = "stability-ai/sdxl",
            ["destination"] = "me/cat",
            ["base"] = "sdxl",
            ["status"] = status,
            ["stage"] = stage,
            ["error"] = error,
            ["input"] = new JsonObject
            {
                ["token_string"] = "TOK",
                ["max_train_steps"] = 1000,
                ["sample_every_steps"] = 200,
                ["sample_prompts"] = "a photo of TOK|TOK on the moon",
                ["keep_checkpoints"] = true,
                ["seed"] = 42,
            },
            ["progress"] =
                stage == "queued"
                    ? null
                    : new JsonObject
                    {
                        ["pictures_done"] = stage == "prepare" ? 7 : 12,
                        ["pictures"] = 12,
                        ["step"] = step,
                        ["total_steps"] = step > 0 ? 1000 : 0,
                        ["loss"] = step > 0 ? 0.123 : null,
                        ["steps_per_second"] = step > 0 ? 3.4 : null,
                        ["seconds_left"] = step > 0 ? 190 : null,
                        ["device"] = "cuda:0 (NVIDIA A40)",
                        ["memory_bytes"] = step > 0 ? 21_400_000_000 : null,
                    },
            ["warnings"] = new JsonArray(),
            ["logs"] = "",
            ["created_at"] = DateTimeOffset.UtcNow.AddMinutes(-7).ToString("O"),
            ["started_at"] = "2026-11-29T10:00:00Z",
            ["completed_at"] = status is "succeeded" or "failed" or "canceled" ? "2026-11-29T10:12:00Z" : null,
            ["expires_at"] = null,
            ["urls"] = urls,
            ["output"] = status == "succeeded" ? Output() : null,
            ["quote"] = stage == "queued" ? new JsonObject { ["queue_place"] = 3, ["seconds_to_start"] = 240 } : null,
            ["cost"] =
                stage == "queued"
                    ? null
                    : new JsonObject
                    {
                        ["amount"] = 0.12,
                        ["currency"] = "USD",
                        ["source"] = "At most: the time since it began.",
                    },
        };
    }

    private static JsonObject Output() =>
        new()
        {
            ["version"] = $"me/cat:{Version}",
            ["weights"] = "/picture/trained_model.tar",
            ["files"] = new JsonObject
            {
                ["trained_model.tar"] = "/picture/trained_model.tar",
                ["cat-kohya.safetensors"] = "/picture/k",
                ["cat-peft.safetensors"] = "/picture/p",
                ["TOK.safetensors"] = "/picture/t",
                ["manifest.json"] = "/v1/version-manifest",
            },
        };

    /// <summary>A check, which is a training that publishes nothing.</summary>
    public static JsonObject Check(string status, string stage) =>
        new()
        {
            ["id"] = CheckId,
            ["status"] = status,
            ["stage"] = stage,
            ["destination"] = "me/pictures",
            ["base"] = "sdxl",
            ["input"] = new JsonObject
            {
                ["token_string"] = "TOK",
                ["caption_prefix"] = "a photo of TOK",
                ["max_train_steps"] = 1000,
                ["use_face_detection_instead"] = true,
                ["sample_prompts"] = "a photo of TOK",
                ["keep_checkpoints"] = true,
                ["held_out_pictures"] = 1,
            },
            ["urls"] = new JsonObject { ["cancel"] = $"/v1/checks/{CheckId}/cancel" },
        };

    public static JsonObject Report(int pictures, int ready) =>
        new()
        {
            ["pictures"] = new JsonArray([
                .. Enumerable.Range(0, pictures).Select(i => (JsonNode)Picture(i, i < ready ? "ready" : "waiting")),
            ]),
            ["skipped"] = new JsonArray(new JsonObject { ["name"] = "notes.docx", ["reason"] = "It is no picture." }),
            ["warnings"] = new JsonArray(),
            ["quote"] = new JsonObject
            {
                ["queue_place"] = 3,
                ["seconds_to_start"] = 240,
                ["seconds"] = new JsonArray(720, 900),
                ["price"] = new JsonArray(0.29, 0.33),
                ["currency"] = "USD",
                ["memory_bytes"] = 21_000_000_000,
                ["sources"] = new JsonObject
                {
                    ["seconds"] = "From the last 20 trainings on this kind of worker.",
                    ["price"] = "The worker's price a second, times its time.",
                },
            },
        };

    public static JsonObject Picture(int index, string state) =>
        new()
        {
            ["index"] = index,
            ["name"] = $"cat {index + 1:00}.jpg",
            ["state"] = state,
            ["reason"] = null,
            ["width"] = state == "ready" ? 1200 : null,
            ["height"] = state == "ready" ? 900 : null,
            ["crop"] =
                state == "ready"
                    ? new JsonObject
                    {
                        ["x"] = 150,
                        ["y"] = 0,
                        ["size"] = 900,
                    }
                    : null,
            ["mask_source"] = "none",
            ["caption"] = state == "ready" ? $"a photo of TOK sitting on a sofa {index + 1}" : null,
            ["caption_source"] = "blip",
            ["warnings"] = index == 3 && state == "ready" ? new JsonArray("It is small: enlarged 2.1 times.") : new JsonArray(),
            ["times"] = 1,
            ["removed"] = false,
            ["etag"] = $"\"e{index}\"",
            ["urls"] =
                state == "ready"
                    ? new JsonObject
                    {
                        ["thumbnail"] = $"/picture/{index}.webp",
                        ["picture"] = $"/picture/{index}.png",
                        ["mask"] = $"/picture/mask-{index}.png",
                    }
                    : new JsonObject(),
        };

    public static JsonObject Metrics(int after, int until, bool isMeasured = false) =>
        new()
        {
            ["points"] = new JsonArray([
                .. Enumerable
                    .Range(after + 1, Math.Max(0, until - after))
                    .Select(step =>
                        (JsonNode)
                            new JsonObject
                            {
                                ["step"] = step,
                                ["loss"] = 0.1 + (0.1 * Math.Exp(-step / 120.0)) + (0.02 * Math.Sin(step * 12.9898)),
                                ["rate"] = 1e-4,
                                ["held_out"] = isMeasured && step % 200 == 0 ? s_heldOut[(step / 200) - 1] : (double?)null,
                            }
                    ),
            ]),
            ["last_step"] = until,
        };

    /// <summary>A finished training that measured itself on a picture held out: best at step 400.</summary>
    public static JsonObject Measured()
    {
        var training = Training("done", "succeeded", 1000);
        training["input"]!["held_out_pictures"] = 1;
        training["held_out"] = new JsonArray([
            .. s_heldOut.Select((loss, i) => (JsonNode)new JsonObject { ["step"] = (i + 1) * 200, ["loss"] = loss }),
        ]);
        training["recommended"] = new JsonObject
        {
            ["step"] = 400,
            ["held_out"] = s_heldOut[1],
            ["reason"] = "What it gets wrong on the pictures held out is least there, 0.0711; later it learned the others by heart.",
        };
        return training;
    }

    public static JsonObject Samples(int until) =>
        new()
        {
            ["results"] = new JsonArray([
                .. Enumerable
                    .Range(0, (until / 200) + 1)
                    .SelectMany(
                        k => Enumerable.Range(0, 2),
                        (k, index) =>
                            (JsonNode)
                                new JsonObject
                                {
                                    ["step"] = k * 200,
                                    ["index"] = index,
                                    ["prompt"] = index == 0 ? "a photo of TOK" : "TOK on the moon",
                                    ["seed"] = 42 + index,
                                    ["urls"] = new JsonObject
                                    {
                                        ["get"] = $"/picture/sample-{k}-{index}.png",
                                        ["thumbnail"] = $"/picture/sample-{k}-{index}.webp",
                                    },
                                }
                    ),
            ]),
        };

    /// <summary>One with each row of samples but the untrained and the last; the first is published.</summary>
    public static JsonObject Checkpoints(int until, bool isMeasured = false) =>
        new()
        {
            ["results"] = new JsonArray([
                .. Enumerable
                    .Range(1, Math.Min(until, 999) / 200)
                    .Select(k =>
                        (JsonNode)
                            new JsonObject
                            {
                                ["step"] = k * 200,
                                ["version"] = k == 1 ? $"me/cat:{Version}" : null,
                                ["files"] = new JsonArray([
                                    .. new[] { "trained_model.tar", "cat-kohya.safetensors", "config.json" }.Select(name =>
                                        (JsonNode)
                                            new JsonObject
                                            {
                                                ["name"] = name,
                                                ["bytes"] = 47_000_000,
                                                ["sha256"] = Version,
                                                ["url"] = $"/picture/{k}-{name}",
                                            }
                                    ),
                                ]),
                                ["urls"] = new JsonObject { ["publish"] = $"/v1/trainings/{TrainingId}/checkpoints/{k * 200}" },
                                ["held_out"] = isMeasured ? s_heldOut[k - 1] : (double?)null,
                            }
                    ),
            ]),
            ["expires_at"] = until < 1000 ? null : "2026-12-29T10:12:00Z",
        };

    public static JsonObject Model() =>
        new()
        {
            ["url"] = "/models/me/cat",
            ["owner"] = "me",
            ["name"] = "cat",
            ["visibility"] = "private",
            ["description"] = "A cat.",
            ["cover_image_url"] = "/picture/cover",
            ["run_count"] = 3,
            ["latest_version"] = VersionOf(),
        };

    public static JsonObject VersionOf(bool withFiles = false) =>
        new()
        {
            ["id"] = Version,
            ["created_at"] = "2026-11-28T10:00:00Z",
            ["base"] = "sdxl",
            ["training_id"] = TrainingId,
            ["files"] = withFiles
                ? new JsonObject
                {
                    ["trained_model.tar"] = "/picture/a",
                    ["cat-kohya.safetensors"] = "/picture/b",
                    ["manifest.json"] = "/v1/version-manifest",
                }
                : null,
            ["openapi_schema"] = new JsonObject
            {
                ["components"] = new JsonObject
                {
                    ["schemas"] = new JsonObject
                    {
                        ["Input"] = PredictionSchema(),
                        ["scheduler"] = new JsonObject { ["type"] = "string", ["enum"] = new JsonArray("K_EULER", "DDIM") },
                    },
                },
            },
        };

    private static JsonObject Manifest() =>
        new()
        {
            ["base"] = "sdxl",
            ["trigger"] = "TOK",
            ["inputs"] = new JsonObject
            {
                ["token_string"] = "TOK",
                ["max_train_steps"] = 800,
                ["lora_rank"] = 16,
                ["seed"] = 42,
            },
            ["files"] = new JsonArray(
                new JsonObject
                {
                    ["name"] = "trained_model.tar",
                    ["bytes"] = 47_000_000,
                    ["sha256"] = Version,
                },
                new JsonObject
                {
                    ["name"] = "cat-kohya.safetensors",
                    ["bytes"] = 46_000_000,
                    ["sha256"] = Version,
                }
            ),
        };

    public static JsonObject Prediction(string id, string status, long seed = 7) =>
        new()
        {
            ["id"] = id,
            ["status"] = status,
            ["version"] = $"me/cat:{Version}",
            ["input"] = new JsonObject
            {
                ["prompt"] = "a photo of TOK on the beach",
                ["seed"] = seed,
                ["lora_scale"] = 1.0,
            },
            ["output"] = status == "succeeded" ? new JsonArray($"/picture/{id}-0.png") : null,
            ["seeds"] = new JsonArray(seed),
            ["error"] = status == "failed" ? "The worker ran out of memory." : null,
            ["progress"] = status == "processing" ? new JsonObject { ["step"] = 12, ["total_steps"] = 50 } : null,
            ["warnings"] = new JsonArray(),
            ["created_at"] = "2026-11-29T10:00:00Z",
            ["urls"] = new JsonObject { ["get"] = $"/v1/predictions/{id}", ["cancel"] = $"/v1/predictions/{id}/cancel" },
        };

    private static JsonObject PredictionSchema()
    {
        var schema = Schema(
            ("prompt", "string", "An astronaut riding a rainbow unicorn", "What to draw.", ""),
            ("negative_prompt", "string", "", "What to keep out of the picture.", ""),
            ("image", "string", null, "Picture to start from.", ""),
            ("mask", "string", null, "With image: what to repaint.", ""),
            ("num_outputs", "integer", 1, "How many pictures.", ""),
            ("seed", "integer", null, "Seed of the first picture.", ""),
            ("lora_scale", "number", 1.0, "Strength of the fine-tune.", ""),
            ("num_inference_steps", "integer", 50, "Denoising steps.", "")
        );
        schema["properties"]!["scheduler"] = new JsonObject
        {
            ["allOf"] = new JsonArray(new JsonObject { ["$ref"] = "#/components/schemas/scheduler" }),
            ["default"] = "K_EULER",
            ["description"] = "Sampler.",
            ["x-order"] = 9,
        };
        return schema;
    }

    private static JsonObject Schema(params (string Name, string Type, JsonNode? Default, string Description, string Group)[] fields)
    {
        var properties = new JsonObject();
        foreach (var (order, field) in fields.Index())
        {
            properties[field.Name] = new JsonObject
            {
                ["type"] = field.Type,
                ["description"] = field.Description,
                ["x-order"] = order,
            };
            if (field.Default is not null)
                properties[field.Name]!["default"] = field.Default;
            if (field.Group.Length > 0)
                properties[field.Name]!["x-group"] = field.Group;
        }
        return new JsonObject { ["type"] = "object", ["properties"] = properties };
    }
}
